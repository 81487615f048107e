"""Three small services in a chain, built as every service is, under the names and on the consumers of real ones.

content commits facts and tells them; scheduler writes an effect of each and tells it on; publisher writes an effect of
that. `python -m tests.integration.chaos.services content`, with the settings of a service in the environment.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.content import PostApprovalWithdrawnV1, PostDeletedV1
from contracts.event import Event
from contracts.scheduler import ScheduleCancelledV1
from contracts.topology import CONSUMERS
from kit import server
from kit.background import Loop
from kit.database import Database, Scope, Transaction, Units
from kit.service import Service
from kit.settings import Environment, ServiceSettings
from kit.settle import RetryPolicy
from kit.subscription import Subscription
from litestar import Litestar
from psycopg import AsyncConnection

WORKSPACE_ID = UUID("0199c1d0-0000-7000-8000-000000000000")

TELLERS = 4
TELLER_PAUSE_SECONDS = 0.08
"""Between two commits of one teller: about 60 facts a second, so that every round strikes under load."""

IDLE_SECONDS = 0.1
HANDLER_MILLISECONDS_MAX = 40
"""Handlers that run side by side take up to this long, each fact its own time: they are likely to end in another order.
In a batch nothing runs side by side, and these times would add up to more than facts take to come."""

GIVING_BACK_SECONDS_MAX = 0.05
"""Who handled the last event takes up to this long to give its connection back, instead of a fraction of a millisecond:
what comes meanwhile must be seen by somebody."""

QUICK = RetryPolicy(delays_seconds=(0.05, 0.1, 0.1, 0.2, 0.2, 0.5, 0.5, 1, 1, 1), outage_delay_seconds=0.5)
"""As many attempts as by default, sooner."""

TABLES: Mapping[str, str] = {
    "content": """
        CREATE TABLE chaos.planned (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, post_id uuid NOT NULL, fact_ids uuid[] NOT NULL
        );
        CREATE TABLE chaos.post (post_id uuid PRIMARY KEY, told integer NOT NULL DEFAULT 0);
        CREATE TABLE chaos.fact (
            fact_id uuid PRIMARY KEY, post_id uuid NOT NULL, number integer NOT NULL, event_id uuid NOT NULL,
            at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
    """,
    "consumer": """
        CREATE TABLE chaos.fault (fact_id uuid PRIMARY KEY, remaining integer NOT NULL);
        CREATE TABLE chaos.effect (
            id bigint GENERATED ALWAYS AS IDENTITY, fact_id uuid NOT NULL, post_id uuid NOT NULL,
            at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        CREATE TABLE chaos.held (event_id uuid NOT NULL, attempts integer NOT NULL);
        CREATE FUNCTION chaos.note_held() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO chaos.held VALUES (new.event_id, new.attempts); RETURN new; END
        $$;
        CREATE TRIGGER note_held AFTER INSERT ON held_event FOR EACH ROW EXECUTE FUNCTION chaos.note_held();
    """,
}
"""Beside kit's own. No key makes an effect unique, so that one that happens twice is seen."""


class Faulty(Exception):
    """What a handler meets now and then."""


class Unhurried(Database):
    """The same, but that a connection is given back late."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with super().connection() as connection:
            yield connection
            await asyncio.sleep(random.uniform(0, GIVING_BACK_SECONDS_MAX))


@dataclass(frozen=True)
class _Commit:
    post_id: UUID
    fact_ids: list[UUID]


def content(service: Service, units: Units[Transaction]) -> Litestar:
    async def tell() -> float:
        async with units(Scope.worker()) as transaction:
            commit = await transaction.first(
                _Commit,
                "DELETE FROM chaos.planned WHERE position ="
                " (SELECT position FROM chaos.planned ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED)"
                " RETURNING post_id, fact_ids",
            )
            if commit is None:
                return IDLE_SECONDS
            await _tell(transaction, commit)
        return TELLER_PAUSE_SECONDS

    return service.app(loops=[Loop(f"teller-{number}", tell) for number in range(TELLERS)])


async def _tell(transaction: Transaction, commit: _Commit) -> None:
    """Number the facts under the lock of their post: their order is the one in which transactions commit."""
    told = await transaction.scalar(
        "UPDATE chaos.post SET told = told + %s WHERE post_id = %s RETURNING told",
        (len(commit.fact_ids), commit.post_id),
    )
    first = told - len(commit.fact_ids) + 1
    for number, fact_id in enumerate(commit.fact_ids, first):
        event_id = transaction.emit(_event_of(commit.post_id, fact_id))
        await transaction.execute(
            "INSERT INTO chaos.fact (fact_id, post_id, number, event_id) VALUES (%s, %s, %s, %s)",
            (fact_id, commit.post_id, number, event_id),
        )


def _event_of(post_id: UUID, fact_id: UUID) -> Event:
    if fact_id == post_id:
        return PostDeletedV1(workspace_id=WORKSPACE_ID, post_id=post_id)
    return PostApprovalWithdrawnV1(workspace_id=WORKSPACE_ID, post_id=post_id, revision_id=fact_id)


def fact_of(event: Event) -> tuple[UUID, UUID]:
    """The post and the fact that an event of this chain is about."""
    match event:
        case PostApprovalWithdrawnV1():
            return event.post_id, event.revision_id
        case PostDeletedV1():
            return event.post_id, event.post_id
        case ScheduleCancelledV1():
            return event.schedule_id, event.connection_ids[0]
    raise TypeError(f"{event.name()} is told by nobody here")


def scheduler(service: Service, units: Units[Transaction]) -> Litestar:
    async def pass_on(event: Event) -> None:
        post_id, fact_id = fact_of(event)
        units.joined().emit(
            ScheduleCancelledV1(
                workspace_id=WORKSPACE_ID, schedule_id=post_id, connection_ids=(fact_id,), reason="chaos"
            )
        )
        await asyncio.sleep(fact_id.int % HANDLER_MILLISECONDS_MAX / 1000)
        await _take_effect(units, event)

    return service.app(subscriptions=[_everything("scheduler-content", pass_on)])


def publisher(service: Service, units: Units[Transaction]) -> Litestar:
    async def finish(event: Event) -> None:
        await _take_effect(units, event)

    return service.app(subscriptions=[_everything("publisher-scheduler", finish)])


def _everything(consumer: str, handler: Callable[[Event], Awaitable[None]]) -> Subscription:
    """Let one handler take every event of a consumer. `fact_of` refuses what is not told here, so that it is parked."""
    subscription = Subscription(CONSUMERS[consumer])
    for event in subscription.consumer.events:
        subscription.on(event)(handler)
    return subscription


async def _take_effect(units: Units[Transaction], event: Event) -> None:
    """Write the effect, and fail after it where that is planned: then it must go with everything else."""
    post_id, fact_id = fact_of(event)
    await units.joined().execute("INSERT INTO chaos.effect (fact_id, post_id) VALUES (%s, %s)", (fact_id, post_id))
    # In a transaction of its own, which stays: a fault must not come again for ever.
    async with units(Scope.worker()) as transaction:
        struck = await transaction.execute(
            "UPDATE chaos.fault SET remaining = remaining - 1 WHERE fact_id = %s AND remaining > 0", (fact_id,)
        )
    if struck:
        raise Faulty


BUILDERS: Mapping[str, Callable[[Service, Units[Transaction]], Litestar]] = {
    "content": content,
    "scheduler": scheduler,
    "publisher": publisher,
}


def main(name: str) -> None:
    def create_app(environment: Mapping[str, str]) -> Litestar:
        settings = ServiceSettings.read(Environment(environment), name)
        service = Service(name, settings, retry_policy=QUICK)
        assert settings.database_url is not None
        service.database = Unhurried(
            name, settings.database_url, service.clock, connections_max=settings.database_connections_max
        )
        return BUILDERS[name](service, Units(service.database, lambda transaction: transaction))

    server.run(name, create_app)


if __name__ == "__main__":
    main(sys.argv[1])
