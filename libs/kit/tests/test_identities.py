"""The permissions of the bus, on a real server: a service can say and hear its own, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import nats
import nats.errors
import pytest
from contracts import topology
from contracts.content import PostDeletedV1
from contracts.topology import CONSUMERS
from kit import codec
from kit.broker import Subscription
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.embedded.nats_server import EmbeddedNats, NatsUser
from kit.identities import OPERATOR, generate_seeds, inbox_prefix, permissions_of, public_key, seed_file
from kit.ids import new_id
from kit.relay import Relay
from kit.testing import wait_for
from kit.testing.services import SERVICES
from kit.topology import reconcile
from nats.aio.client import Client
from opentelemetry import trace

USERS = [*(service for service in SERVICES if service != "gateway"), OPERATOR]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    generate_seeds(tmp_path / "seeds", USERS)
    users = []
    for name in USERS:
        allowed = permissions_of(name)
        key = public_key(seed_file(tmp_path / "seeds", name))
        users.append(NatsUser(name, key, publish=list(allowed.publish), subscribe=list(allowed.subscribe)))
    async with EmbeddedNats(tmp_path / "data", users=users, durable=False) as server:
        operator = await connect(server, tmp_path, OPERATOR)
        await reconcile(operator.jetstream())
        await operator.close()
        yield server


class Refusals(list[str]):
    async def take(self, error: Exception) -> None:
        self.append(str(error))


async def connect(server: EmbeddedNats, folder: Path, user: str, refusals: Refusals | None = None) -> Client:
    return await nats.connect(
        server.url,
        nkeys_seed=str(seed_file(folder / "seeds", user)),
        inbox_prefix=inbox_prefix(user),
        error_cb=(refusals if refusals is not None else Refusals()).take,
        allow_reconnect=False,
    )


async def publish(client: Client, event: PostDeletedV1) -> None:
    headers = codec.headers_of(event, new_id(), source="test", at=SystemClock().now())
    await client.jetstream().publish(event.subject(), codec.encode(event), headers=headers, stream="CONTENT", timeout=1)


async def test_an_event_of_another_service_is_refused(server: EmbeddedNats, tmp_path: Path):
    event = PostDeletedV1(workspace_id=new_id(), post_id=new_id())
    refusals = Refusals()
    stranger = await connect(server, tmp_path, "metrics", refusals)
    with pytest.raises(nats.errors.TimeoutError):
        await publish(stranger, event)
    owner = await connect(server, tmp_path, "content")
    await publish(owner, event)
    assert "permissions violation" in refusals[0].lower()
    assert (await owner_view(server, tmp_path)).state.messages == 1
    await stranger.close()
    await owner.close()


async def owner_view(server: EmbeddedNats, folder: Path) -> nats.js.api.StreamInfo:
    operator = await connect(server, folder, OPERATOR)
    info = await operator.jetstream().stream_info("CONTENT")
    await operator.close()
    return info


@pytest.mark.parametrize(
    "subject",
    ["$JS.API.STREAM.PURGE.CONTENT", "$JS.API.STREAM.DELETE.AUTH", "$JS.API.CONSUMER.MSG.NEXT.AUTH.publisher-auth"],
)
async def test_a_service_cannot_touch_what_is_not_its_own(server: EmbeddedNats, tmp_path: Path, subject: str):
    refusals = Refusals()
    client = await connect(server, tmp_path, "metrics", refusals)
    with pytest.raises(nats.errors.TimeoutError):
        await client.request(subject, b"{}", timeout=0.5)
    assert "permissions violation" in refusals[0].lower()
    await client.close()


@pytest.mark.parametrize("subject", ["post.>", "_INBOX_content.>", "_INBOX.>", ">"])
async def test_a_service_hears_only_its_own_inbox(server: EmbeddedNats, tmp_path: Path, subject: str):
    refusals = Refusals()
    client = await connect(server, tmp_path, "metrics", refusals)
    await client.subscribe(subject)
    await wait_for(lambda: bool(refusals))
    assert "permissions violation" in refusals[0].lower()
    await client.close()


async def test_a_stranger_is_not_let_in(server: EmbeddedNats):
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization|nkey"):
        await nats.connect(server.url, allow_reconnect=False, connect_timeout=2)


async def test_the_permissions_suffice_for_delivery(
    server: EmbeddedNats,
    tmp_path: Path,
    database: Database,
    units: Units[Transaction],
    recording: Callable[..., Subscription],
    consuming: Callable[..., AbstractAsyncContextManager[object]],
):
    """Outbox to inbox as two services, and a parked message, with nothing but the derived permissions."""
    event = PostDeletedV1(workspace_id=new_id(), post_id=new_id())
    content = await connect(server, tmp_path, "content")
    relay = asyncio.ensure_future(Relay(database, content.jetstream(), trace.get_tracer("test")).run())
    seed = seed_file(tmp_path / "seeds", "scheduler")
    async with consuming(server.url, database, recording(), seed_file=seed):
        async with database.transaction(Scope.nobody()) as transaction:
            transaction.emit(event)
        await wait_for(lambda: has_effect(units))
        await content.jetstream().publish(f"post.deleted.v1.{new_id()}", b"{}", stream="CONTENT", timeout=2)
        await wait_for(lambda: is_parked(server, tmp_path))
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    await content.close()
    assert CONSUMERS["scheduler-content"].dead_letter_subject in permissions_of("scheduler").publish


async def has_effect(units: Units[Transaction]) -> bool:
    async with units(Scope.worker()) as transaction:
        return bool(await transaction.scalar("SELECT count(*) FROM effect"))


async def is_parked(server: EmbeddedNats, folder: Path) -> bool:
    operator = await connect(server, folder, OPERATOR)
    info = await operator.jetstream().stream_info(topology.DEAD_LETTERS)
    await operator.close()
    return info.state.messages == 1
