"""A continuous pull from one durable consumer: asks for more before it runs dry, and notices when the server forgot it.

The server keeps no promise about a pull over its own restarts or a change of leader. So whatever looks odd ends the
pull; its owner opens a new one, which begins with everything that was not acknowledged, in the stream's order.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nats.errors
import structlog
from contracts.topology import Consumer
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox

log = structlog.get_logger("pull")

EXPIRES_SECONDS = 30.0
"""How long one request for messages stands; the server then says so and is asked again."""

HEARTBEAT_SECONDS = 5.0
"""How often the server says that an idle request still stands. Twice this without a word ends the pull."""

REPLY_TIMEOUT_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_NANOSECONDS = 1_000_000_000

_API = "$JS.API.CONSUMER"
_ACK, _IN_PROGRESS = b"+ACK", b"+WPI"


class ConsumerAway(Exception):
    """The consumer cannot be had now: no leader, or no answer. It comes back by itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it arrived. `sequence` is its place in the stream, `number` counts this consumer's deliveries."""

    sequence: int
    number: int
    subject: str
    headers: Mapping[str, str]
    body: bytes
    reply: str


class Pull:
    """One pull. `capacity` is how many messages may be here unsettled, waiting or being handled."""

    def __init__(self, client: Client, consumer: Consumer, *, capacity: int, take: Callable[[Delivery], None]) -> None:
        self._client = client
        self._consumer = consumer
        self._capacity = capacity
        self._take = take
        self._named = f"{consumer.stream}.{consumer.name}"
        self._asked = 0
        self._number = 0
        self._held: dict[int, Delivery] = {}
        self._heard_at = time.monotonic()
        self._inbox: Inbox | None = None
        self._subject = ""
        self.broken = asyncio.Event()

    async def open(self) -> None:
        """Take the consumer back to its first unacknowledged message. Nothing comes before `begin`."""
        self._subject = self._client.new_inbox()
        self._inbox = await self._client.subscribe(self._subject, cb=self._on_message)
        await self._reset()

    async def begin(self) -> None:
        """Ask for messages, from the first unacknowledged one on."""
        await self._ask()

    async def close(self) -> None:
        """Take nothing more. What is unsettled stays the server's."""
        self.broken.set()
        if self._inbox is not None and not self._client.is_closed:
            try:
                await self._inbox.unsubscribe()
            except nats.errors.Error as error:
                log.debug("unsubscribe_failed", error=type(error).__name__)

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge, without waiting for the server: what gets lost on the way comes again and is recognised."""
        for delivery in deliveries:
            if self._held.pop(delivery.sequence, None) is not None:
                await self._client.publish(delivery.reply, _ACK)
        await self._ask()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the pull lives."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.broken.wait()

    async def watch(self) -> None:
        """Return when the pull is broken. Tells the server meanwhile what is still being worked on."""
        touch_seconds = self._consumer.ack_wait.total_seconds() / 3
        touched_at = time.monotonic()
        while not self.broken.is_set():
            await self.pause(_LOOK_SECONDS)
            now = time.monotonic()
            if self._asked and now - self._heard_at > 2 * HEARTBEAT_SECONDS and self._client.is_connected:
                self._break("silence")
            if now - touched_at > touch_seconds:
                touched_at = now
                await self._touch()

    async def _reset(self) -> None:
        try:
            answer = await self._client.request(f"{_API}.RESET.{self._named}", b"", timeout=REPLY_TIMEOUT_SECONDS)
        except nats.errors.NoRespondersError:
            raise ConsumerAway("the server does not reset consumers: NATS 2.14 or newer is needed") from None
        except nats.errors.Error as error:
            raise ConsumerAway(type(error).__name__) from error
        problem = json.loads(answer.data).get("error")
        if problem:
            raise ConsumerAway(str(problem.get("description", "refused")))

    async def _ask(self) -> None:
        """Ask for as many as there is room for, once half of the room is free."""
        room = self._capacity - self._asked - len(self._held)
        if room * 2 < self._capacity or self.broken.is_set():
            return
        if not self._asked:
            # The server says nothing to who asks for nothing.
            self._heard_at = time.monotonic()
        self._asked += room
        request = {
            "batch": room,
            "expires": int(EXPIRES_SECONDS * _NANOSECONDS),
            "idle_heartbeat": int(HEARTBEAT_SECONDS * _NANOSECONDS),
        }
        subject = f"{_API}.MSG.NEXT.{self._named}"
        await self._client.publish(subject, json.dumps(request).encode(), reply=self._subject)

    async def _on_message(self, message: Msg) -> None:
        if self.broken.is_set():
            return
        self._heard_at = time.monotonic()
        status = _status(message)
        if status is not None:
            await self._on_status(status, message.headers or {})
            return
        delivery = _delivery(message)
        self._number += 1
        if delivery.number != self._number:
            # Counted from 1 since the reset. What is missing was given to a process that led before and has not
            # noticed yet that it does so no more; nothing may overtake it.
            self._break(f"message {delivery.number} came instead of {self._number}")
            return
        self._asked = max(self._asked - 1, 0)
        if delivery.sequence not in self._held:
            self._held[delivery.sequence] = delivery
            self._take(delivery)
        await self._ask()

    async def _on_status(self, status: str, headers: Mapping[str, Any]) -> None:
        if status == "100":
            return
        description = str(headers.get("Description", "")).lower()
        if status in ("404", "408") or "exceeded" in description or "batch completed" in description:
            # The request ended as requests do; what it did not deliver is asked for anew.
            self._asked = max(self._asked - int(headers.get("Nats-Pending-Messages", self._asked)), 0)
            await self._ask()
            return
        self._break(f"{status} {description}")

    async def _touch(self) -> None:
        try:
            for delivery in list(self._held.values()):
                await self._client.publish(delivery.reply, _IN_PROGRESS)
        except nats.errors.Error as error:
            self._break(type(error).__name__)

    def _break(self, reason: str) -> None:
        log.warning("pull_broken", consumer=self._consumer.name, reason=reason)
        self.broken.set()


def _status(message: Msg) -> str | None:
    if message.reply or not message.headers:
        return None
    return message.headers.get("Status")


def _delivery(message: Msg) -> Delivery:
    # $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<number>.<…>; two tokens more where domains are used.
    tokens = message.reply.split(".")
    at = 5 if len(tokens) < 11 else 7
    return Delivery(
        int(tokens[at]), int(tokens[at + 1]), message.subject, message.headers or {}, message.data, message.reply
    )
