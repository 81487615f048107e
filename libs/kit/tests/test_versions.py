"""An event in two versions on the real bus: old and new consumers side by side, each with one effect per fact."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from contracts.auth import (
    ConnectionRevokedV1,
    ConnectionRevokedV2,
    PlatformConfirmation,
    RevocationReason,
    WorkspaceDeletedV1,
)
from contracts.event import Event
from contracts.registry import also_told_as, upcast
from contracts.topology import CONSUMERS, Consumer, erasing_services
from kit.database import Database, Scope, Transaction, Units
from kit.identities import permissions_of
from kit.ids import new_id
from kit.streams import consumer_config
from kit.subscription import Subscription
from kit.testing import wait_for
from kit.testing.services import Bus
from kit.topology import reconcile

from libs.kit.tests.conftest import Consuming
from libs.kit.tests.test_delivery import relaying

BEFORE = Consumer("scheduler", "AUTH", (ConnectionRevokedV1, WorkspaceDeletedV1))
"""A service that was built before there was a version 2."""

AFTER = CONSUMERS["metrics-auth"]
AFTER_IN_BATCHES = Consumer(AFTER.service, AFTER.stream, AFTER.events, batch_size=50)


def revoked(connection_id: UUID | None = None) -> ConnectionRevokedV2:
    """A revocation of which version 1 cannot say all: read from it, the platform would have confirmed."""
    return ConnectionRevokedV2(
        workspace_id=new_id(),
        connection_id=connection_id or new_id(),
        platform="tiktok",
        reason=RevocationReason.DISCONNECTED,
        platform_confirmation=PlatformConfirmation.NOT_ASKED,
        revoked_at=datetime(2026, 4, 7, 9, 30, tzinfo=UTC),
        erasure_id=new_id(),
    )


def recording(
    consumer: Consumer,
    version: type[ConnectionRevokedV1 | ConnectionRevokedV2],
    units: Units[Transaction],
    *,
    failures: int = 0,
) -> tuple[Subscription, list[Event]]:
    """A subscription with a handler for one version that writes an effect, and what the handler was given.

    The handler fails the first times it is called, after its effect.
    """
    subscription, heard = Subscription(consumer), list[Event]()

    @subscription.on(version)
    async def on_revoked(event: ConnectionRevokedV1 | ConnectionRevokedV2) -> None:
        await units.joined().execute(
            "INSERT INTO effect (workspace_id, post_id) VALUES (%s, %s)", (event.workspace_id, event.connection_id)
        )
        heard.append(event)
        if len(heard) <= failures:
            raise RuntimeError("not yet")

    @subscription.on(WorkspaceDeletedV1)
    async def on_deleted(_: WorkspaceDeletedV1) -> None:
        return

    return subscription, heard


async def effects(units: Units[Transaction]) -> list[UUID]:
    async with units(Scope.worker()) as transaction:
        return await transaction.scalars("SELECT post_id FROM effect ORDER BY post_id")


async def settled(bus: Bus, *consumers: Consumer) -> bool:
    return all([await bus.settled(consumer.name) for consumer in consumers])


@pytest.mark.parametrize("after", [AFTER, AFTER_IN_BATCHES], ids=["one by one", "in batches"])
async def test_old_and_new_consumers_have_one_effect_per_fact(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction], after: Consumer
):
    await bus.jetstream.add_consumer("AUTH", consumer_config(BEFORE))
    old, heard_by_old = recording(BEFORE, ConnectionRevokedV1, units)
    new, heard_by_new = recording(after, ConnectionRevokedV2, units)
    connection_id = new_id()
    told = [revoked(connection_id) for _ in range(5)]
    async with relaying(bus, database):
        async with units(Scope.nobody()) as transaction:
            for event in told:
                transaction.emit(event)
        in_version_1 = await bus.wait_told(ConnectionRevokedV1, len(told))
    async with consuming(nats_url, database, old, new):
        await wait_for(lambda: settled(bus, BEFORE, AFTER))
    assert heard_by_old == in_version_1 == [older for event in told for older in also_told_as(event)]
    assert heard_by_new == told
    assert await effects(units) == [connection_id] * 2 * len(told)


async def test_an_older_version_does_not_overtake_the_newer_one_that_failed(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction]
):
    told = revoked()
    new, heard = recording(AFTER, ConnectionRevokedV2, units, failures=2)
    async with relaying(bus, database), consuming(nats_url, database, new):
        async with units(Scope.nobody()) as transaction:
            transaction.emit(told)
        await wait_for(lambda: effects(units))
        await wait_for(lambda: settled(bus, AFTER))
    assert heard == [told] * 3
    assert await effects(units) == [told.connection_id]


async def test_what_was_stored_before_the_upgrade_reaches_the_new_consumer(
    consuming: Consuming, bus: Bus, nats_url: str, database: Database, units: Units[Transaction]
):
    await bus.jetstream.add_consumer(
        "AUTH", consumer_config(Consumer(AFTER.service, "AUTH", (ConnectionRevokedV1, WorkspaceDeletedV1)))
    )
    (stored,) = also_told_as(revoked())
    event_id = await bus.publish(stored)
    assert f"consumer {AFTER.name}" in {change.what for change in await reconcile(bus.jetstream)}
    new, heard = recording(AFTER, ConnectionRevokedV2, units)
    async with consuming(nats_url, database, new):
        await wait_for(lambda: settled(bus, AFTER))
        assert heard == [upcast(stored)]
        await bus.publish(revoked(), event_id=event_id)
        await wait_for(lambda: settled(bus, AFTER))
    assert len(heard) == 1
    assert await effects(units) == [stored.aggregate()]


async def test_both_versions_are_stored_newest_first_under_one_event_id(
    bus: Bus, database: Database, units: Units[Transaction]
):
    async with relaying(bus, database):
        async with units(Scope.nobody()) as transaction:
            event_id = transaction.emit(revoked())
        await bus.wait_told(ConnectionRevokedV1)
    stored = [(await bus.jetstream.get_msg("AUTH", sequence)).headers or {} for sequence in await sequences(bus)]
    assert [message["ce-type"] for message in stored] == ["connection.revoked.v2", "connection.revoked.v1"]
    assert {message["ce-id"] for message in stored} == {str(event_id)}
    assert [message["Nats-Msg-Id"] for message in stored] == [str(event_id), f"{event_id}.v1"]


@pytest.mark.parametrize("user", [*erasing_services(), "retention"])
def test_the_owner_alone_may_tell_both_versions(user: str):
    told = {"connection.revoked.v1.*", "connection.revoked.v2.*"}
    assert told & set(permissions_of(user).publish) == (told if user == "auth" else set())


async def sequences(bus: Bus) -> list[int]:
    state = (await bus.jetstream.stream_info("AUTH")).state
    return list(range(state.first_seq, state.last_seq + 1))
