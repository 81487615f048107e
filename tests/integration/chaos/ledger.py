"""What is true after a run: read from the databases and the streams, by nobody who took part in it."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import nats.errors
import psycopg
from contracts import topology
from contracts.topology import Consumer
from kit import codec
from kit.testing.services import Bus
from nats.js.errors import ServiceUnavailableError

from tests.integration.chaos.house import House, Kill
from tests.integration.chaos.plan import CONSUMERS, PRODUCER, SERVICES, service_of
from tests.integration.chaos.services import fact_of

TAKES: Mapping[str, Consumer] = {
    "scheduler": topology.CONSUMERS["scheduler-content"],
    "publisher": topology.CONSUMERS["publisher-scheduler"],
}
SHOWN_MAX = 4

_FACT_TIMES = "SELECT extract(epoch FROM at)::float FROM chaos.fact"
_EFFECT_TIMES = "SELECT extract(epoch FROM at)::float FROM chaos.effect"

Fact = tuple[UUID, UUID]
"""A post, and something that happened to it."""


@dataclass(frozen=True)
class Figures:
    """What a run took.

    `delivered_again`: events that a consumer recognised as handled. `stored_again`: messages that repeat another one of
    their stream. `failed`: events that were held because their handler failed, `behind`: those that waited for them.
    `silences`: for each victim, the longest time in seconds until the next effect.
    """

    delivered_again: int
    stored_again: int
    failed: int
    behind: int
    silences: Mapping[str, float]


class Ledger:
    """The books of one run."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._counted = 0

    async def facts(self) -> int:
        """How many facts are committed; the last known number while PostgreSQL is away."""
        with contextlib.suppress(psycopg.OperationalError):
            self._counted = await self._count(PRODUCER, "chaos.fact")
        return self._counted

    async def unfinished(self, bus: Bus) -> str | None:
        """What still keeps the system busy, the first link of the chain first; None if nothing does."""
        if await self._count(PRODUCER, "chaos.planned"):
            return f"{PRODUCER} has facts to tell"
        for service in SERVICES:
            consumer = TAKES.get(service)
            if consumer and not await _settled(bus, consumer):
                return f"{consumer.name} has something to take or to acknowledge"
            if await self._count(service, "held_event"):
                return f"{service} holds events"
            if await self._count(service, "outbox"):
                return f"{service} has something to tell"
        return None

    async def differences(self, bus: Bus) -> list[str]:
        """What is not as it should be, a line each."""
        rows = await self._rows(PRODUCER, "SELECT fact_id, number FROM chaos.fact")
        numbers: dict[UUID, int] = dict(rows)
        found = []
        for service, consumer in TAKES.items():
            effects = await self._rows(service, "SELECT post_id, fact_id FROM chaos.effect ORDER BY id")
            found += _miscounted(service, numbers, effects)
            if swapped := _swapped(f"{service}'s effects", numbers, effects):
                # Who is to blame: the stream, and so its producer's relay, or the consumer.
                found += swapped + _swapped(f"{consumer.stream}'s messages", numbers, await _stored(bus, consumer))
            if left := await self._count(service, "chaos.fault WHERE remaining > 0"):
                found.append(f"{service}: {left} planned faults never struck")
            if not await self._count(service, "chaos.held WHERE attempts > 0"):
                found.append(f"{service}: nothing that failed was held")
        return found + await _parked(bus)

    async def figures(self, bus: Bus) -> Figures:
        stored = failed = behind = 0
        for service, consumer in TAKES.items():
            stored += (await bus.jetstream.stream_info(consumer.stream)).state.messages
            held = await self._rows(service, "SELECT max(attempts) > 0 FROM chaos.held GROUP BY event_id")
            failed += sum(was_failed for (was_failed,) in held)
            behind += sum(not was_failed for (was_failed,) in held)
        told = len(TAKES) * await self._count(PRODUCER, "chaos.fact")
        return Figures(self._house.logged("event_repeated"), stored - told, failed, behind, await self._silences())

    async def _silences(self) -> dict[str, float]:
        times = {
            service: [at for (at,) in await self._rows(service, query)]
            for service, query in dict.fromkeys(TAKES, _EFFECT_TIMES).items() | {(PRODUCER, _FACT_TIMES)}
        }
        longest: dict[str, float] = {}
        for kill in self._house.kills:
            whose = service_of(kill.victim)
            longest[whose] = max(longest.get(whose, 0.0), _silence(kill, times))
        return longest

    async def _count(self, service: str, what: str) -> int:
        ((count,),) = await self._rows(service, f"SELECT count(*) FROM {what}")  # noqa: S608  # our own words
        return int(count)

    async def _rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self._house.superuser_url(service)) as connection:
            return await (await connection.execute(query.encode())).fetchall()


async def _settled(bus: Bus, consumer: Consumer) -> bool:
    # While the servers of a cluster elect who leads the consumer, nobody answers for it.
    with contextlib.suppress(nats.errors.TimeoutError, ServiceUnavailableError):
        return await bus.settled(consumer.name)
    return False


def _silence(kill: Kill, times: Mapping[str, Iterable[float]]) -> float:
    """From a process's kill to its service's next effect; of anything else, from its start to the last service's.

    0 if no more came.
    """
    service = service_of(kill.victim)
    since, whose = (kill.at, service) if service in SERVICES else (kill.restarted_at, CONSUMERS[-1])
    return min((at - since for at in times[whose] if at > since), default=0.0)


def _miscounted(service: str, numbers: Mapping[UUID, int], effects: Sequence[Fact]) -> list[str]:
    happened = Counter(fact_id for _, fact_id in effects)
    wrong = {
        "facts without an effect": numbers.keys() - happened.keys(),
        "facts with several effects": {fact_id for fact_id, times in happened.items() if times > 1},
        "effects of what is no fact": happened.keys() - numbers.keys(),
    }
    return [
        f"{service}: {len(ids):,} {what}, such as {', '.join(sorted(map(str, ids))[:SHOWN_MAX])}"
        for what, ids in wrong.items()
        if ids
    ]


def _swapped(where: str, numbers: Mapping[UUID, int], facts: Iterable[Fact]) -> list[str]:
    """The posts whose facts are not in the order of their numbers. Only the first time of each fact counts."""
    order = defaultdict(list)
    for post_id, fact_id in dict.fromkeys(facts):
        order[post_id].append(numbers.get(fact_id, 0))
    wrong = {post_id: found for post_id, found in order.items() if found != sorted(found)}
    if not wrong:
        return []
    examples = [f"  {post_id}: {found}" for post_id, found in list(wrong.items())[:SHOWN_MAX]]
    return [f"{where}: {len(wrong)} of {len(order)} posts are out of order", *examples]


async def _stored(bus: Bus, consumer: Consumer) -> list[Fact]:
    """What a consumer's stream holds, in its order."""
    state = (await bus.jetstream.stream_info(consumer.stream)).state
    messages = [
        await bus.jetstream.get_msg(consumer.stream, sequence, direct=True)
        for sequence in range(state.first_seq, state.last_seq + 1)
    ]
    return [fact_of(codec.decode(message.headers or {}, message.data or b"")) for message in messages]


async def _parked(bus: Bus) -> list[str]:
    state = (await bus.jetstream.stream_info(topology.DEAD_LETTERS)).state
    if not state.messages:
        return []
    last = await bus.jetstream.get_msg(topology.DEAD_LETTERS, state.last_seq, direct=True)
    why = {name: value for name, value in (last.headers or {}).items() if name.startswith("signoff-")}
    return [f"{state.messages} events were parked, the last one with {why}"]
