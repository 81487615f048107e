"""What becomes of a message whose handler failed: later again, or parked where people look. Never lost.

The only code that decides a message's fate. A message that is no event is parked at once; one that keeps
failing is parked after its last attempt; one that fails because our own database is away waits for it.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import psycopg_pool
import structlog
from contracts import topology
from faststream.exceptions import IgnoredException, NackMessage, RejectMessage
from faststream.message import StreamMessage
from faststream.middlewares import BaseMiddleware
from nats.js import JetStreamContext
from opentelemetry import trace

from kit.codec import ContractError

log = structlog.get_logger("settle")

PARK_TIMEOUT_SECONDS = 5.0
_ERROR_LENGTH_MAX = 200
_OWN_OUTAGE = (psycopg.OperationalError, psycopg_pool.PoolTimeout)


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds before each further attempt; the message is parked when they are used up.

    A shutdown in the middle of a handler uses an attempt too, so there are more than a fault would need.
    Each delay is stretched by up to `jitter`, so that what failed together does not come back together.
    """

    delays_seconds: Sequence[float] = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
    outage_delay_seconds: float = 5.0
    jitter: float = 0.2

    @property
    def attempts_max(self) -> int:
        return len(self.delays_seconds) + 1

    def delay_seconds(self, attempt: int) -> float:
        """How long to wait after `attempt` (counted from 1) failed."""
        base = self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]
        return base * random.uniform(1, 1 + self.jitter)  # noqa: S311  # spreads load, hides nothing


class SettleMiddleware:
    """FastStream middleware that stands outside the inbox and decides after its transaction has ended."""

    def __init__(self, jetstream: Callable[[], JetStreamContext], policy: RetryPolicy) -> None:
        self._jetstream = jetstream
        self._policy = policy

    def __call__(self, msg: Any, /, *, context: Any) -> BaseMiddleware[Any, Any]:
        return _Settle(msg, context=context, jetstream=self._jetstream, policy=self._policy)


class _Settle(BaseMiddleware[Any, Any]):
    def __init__(
        self, msg: Any, /, *, context: Any, jetstream: Callable[[], JetStreamContext], policy: RetryPolicy
    ) -> None:
        super().__init__(msg, context=context)
        self._jetstream = jetstream
        self._policy = policy

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: StreamMessage[Any]) -> Any:
        delivery = msg.raw_message.metadata
        with structlog.contextvars.bound_contextvars(
            consumer=delivery.consumer, event_id=msg.headers.get("ce-id"), event_type=msg.headers.get("ce-type")
        ):
            try:
                return await call_next(msg)
            except IgnoredException:
                raise  # already a decision
            except ContractError as error:
                await self._park(msg, error, reason="contract")
            except _OWN_OUTAGE as error:
                log.warning("database_away", error=type(error).__name__)
                raise NackMessage(delay=self._policy.outage_delay_seconds) from error
            except Exception as error:
                await self._retry_or_park(msg, error, delivery.num_delivered)

    async def _retry_or_park(self, msg: StreamMessage[Any], error: Exception, attempt: int) -> None:
        trace.get_current_span().record_exception(error)
        if attempt >= self._policy.attempts_max:
            await self._park(msg, error, reason="exhausted")
        delay = self._policy.delay_seconds(attempt)
        log.warning("event_retried", attempt=attempt, delay_seconds=round(delay, 2), exc_info=error)
        raise NackMessage(delay=delay) from error

    async def _park(self, msg: StreamMessage[Any], error: Exception, *, reason: str) -> None:
        """Store the message as it came in the dead letters and take it off its consumer."""
        delivery = msg.raw_message.metadata
        headers = dict(msg.headers) | {
            # Its own id: the same event can be parked for two consumers.
            "Nats-Msg-Id": f"{delivery.consumer}:{delivery.stream}:{delivery.sequence.stream}",
            "signoff-reason": reason,
            "signoff-error": _describe(error),
            "signoff-consumer": delivery.consumer,
            "signoff-subject": msg.raw_message.subject,
            "signoff-stream-sequence": str(delivery.sequence.stream),
        }
        try:
            await self._jetstream().publish(
                f"{topology.DEAD_LETTER_PREFIX}.{delivery.consumer}.{msg.raw_message.subject.rpartition('.')[2]}",
                msg.body,
                timeout=PARK_TIMEOUT_SECONDS,
                stream=topology.DEAD_LETTERS,
                headers=headers,
            )
        except Exception as parking_error:
            log.error("parking_failed", exc_info=parking_error)
            raise NackMessage(delay=self._policy.outage_delay_seconds) from error
        log.error("event_parked", reason=reason, error=type(error).__name__)
        raise RejectMessage from error


def _describe(error: Exception) -> str:
    # Only our own sentences: the text of any other error may quote the data it failed on.
    text = f"{type(error).__name__}: {error}" if isinstance(error, ContractError) else type(error).__name__
    return text[:_ERROR_LENGTH_MAX].replace("\n", " ")
