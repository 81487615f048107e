"""The permissions of the bus, on a real server: a service can say and hear its own, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import nats
import nats.errors
import pytest
from contracts import topology
from contracts.content import PostDeletedV1
from contracts.registry import EVENTS
from contracts.topology import CONSUMERS
from kit import codec, dead_letters
from kit.clock import SystemClock
from kit.database import Database, Scope, Transaction, Units
from kit.embedded.nats_server import EmbeddedNats, NatsUser
from kit.identities import OPERATOR, generate_seeds, inbox_prefix, permissions_of, public_key, seed_file
from kit.ids import new_id
from kit.relay import Relay
from kit.replays import DeadLetters
from kit.subscription import Subscription
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
    operator = await connect(server, tmp_path, OPERATOR)
    assert (await operator.jetstream().stream_info("CONTENT")).state.messages == 1
    for client in (stranger, owner, operator):
        await client.close()


LAST = "nobody.may.say.this"
KEY = "0199a3b0-0000-7000-8000-000000000000"

ADMINISTRATION = [
    "$JS.API.STREAM.CREATE.AUTH",
    "$JS.API.STREAM.UPDATE.AUTH",
    "$JS.API.STREAM.DELETE.AUTH",
    "$JS.API.STREAM.PURGE.AUTH",
    "$JS.API.STREAM.MSG.GET.AUTH",
    "$JS.API.STREAM.MSG.DELETE.AUTH",
    "$JS.API.DIRECT.GET.AUTH",
    "$JS.API.CONSUMER.CREATE.AUTH",
    "$JS.API.CONSUMER.CREATE.AUTH.spy.connection.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.AUTH.spy",
    "$JS.API.CONSUMER.DELETE.AUTH.scheduler-auth",
    "$JS.API.CONSUMER.LIST.AUTH",
    f"$JS.API.DIRECT.GET.{topology.DEAD_LETTERS}",
    f"$JS.API.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
    "$SYS.REQ.SERVER.PING",
    "anything",
]


def events_told_by(user: str) -> list[str]:
    return [f"{event.name()}.{KEY}" for event in EVENTS.values() if user in topology.producers_of(event)]


def needed_for(consumer: topology.Consumer) -> list[str]:
    """What who runs a consumer publishes to."""
    named = f"{consumer.stream}.{consumer.name}"
    api = [f"$JS.API.CONSUMER.{verb}.{named}" for verb in ("INFO", "MSG.NEXT", "RESET")]
    return [*api, f"$JS.ACK.{named}.1.1.1.1.0", consumer.dead_letter_subject(KEY)]


def needed_by(user: str) -> list[str]:
    return [*events_told_by(user), *(subject for c in topology.consumers_of(user) for subject in needed_for(c))]


async def refused(server: EmbeddedNats, folder: Path, user: str, subjects: Iterable[str]) -> list[str]:
    """Which of the subjects this user may not publish to."""
    refusals = Refusals()
    client = await connect(server, folder, user, refusals)
    asked = list(subjects)
    for subject in [*asked, LAST]:
        await client.publish(subject, b"")
    # The server answers in order: with this one every refusal has arrived.
    await wait_for(lambda: refusals and f'"{LAST}"' in refusals[-1])
    await client.close()
    told = "\n".join(refusals)
    return [subject for subject in asked if f'"{subject.lower()}"' in told]


@pytest.mark.parametrize("service", [user for user in USERS if user != OPERATOR])
async def test_a_service_can_do_what_is_its_own_and_nothing_else(server: EmbeddedNats, tmp_path: Path, service: str):
    own = needed_by(service)
    assert await refused(server, tmp_path, service, own) == []
    foreign = {subject for user in USERS for subject in needed_by(user)} - set(own)
    foreign |= {consumer.replay_subject(KEY) for consumer in CONSUMERS.values()}
    foreign |= {f"_INBOX_{user}.answer" for user in USERS} | set(ADMINISTRATION)
    foreign -= ERASING if service == "retention" else set()
    assert set(await refused(server, tmp_path, service, foreign)) == foreign


ERASING = {
    "$JS.API.STREAM.PURGE.AUTH",
    "$JS.API.STREAM.MSG.GET.AUTH",
    f"$JS.API.DIRECT.GET.{topology.DEAD_LETTERS}",
    f"$JS.API.STREAM.MSG.DELETE.{topology.DEAD_LETTERS}",
    *(f"$JS.API.CONSUMER.INFO.{consumer.stream}.{consumer.name}" for consumer in CONSUMERS.values()),
}
"""What retention needs of every stream, to forget in it."""


async def test_the_operator_replays_and_manages_but_tells_no_event(server: EmbeddedNats, tmp_path: Path):
    never = {subject for user in USERS for subject in needed_by(user) if ".CONSUMER.INFO." not in subject}
    never |= {
        "$JS.API.STREAM.DELETE.AUTH",
        "$JS.API.STREAM.PURGE.AUTH",
        "$JS.API.STREAM.MSG.GET.AUTH",
        "$JS.API.STREAM.MSG.DELETE.AUTH",
        "$JS.API.DIRECT.GET.AUTH",
        "$SYS.REQ.SERVER.PING",
        "anything",
    }
    assert set(await refused(server, tmp_path, OPERATOR, never)) == never
    replays = [consumer.replay_subject(KEY) for consumer in CONSUMERS.values()]
    work = [*replays, *(subject for subject in ADMINISTRATION if subject not in never)]
    assert await refused(server, tmp_path, OPERATOR, work) == []


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
    relay = asyncio.ensure_future(Relay(database, content, trace.get_tracer("test")).run())
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
    assert CONSUMERS["scheduler-content"].dead_letter_subject("*") in permissions_of("scheduler").publish


async def test_the_permissions_suffice_to_read_replay_and_drop_dead_letters(server: EmbeddedNats, tmp_path: Path):
    event = PostDeletedV1(workspace_id=new_id(), post_id=new_id())
    scheduler = await connect(server, tmp_path, "scheduler")
    for sequence in range(3):
        await dead_letters.park(
            scheduler.jetstream(),
            consumer=CONSUMERS["scheduler-content"],
            subject=event.subject(),
            headers=codec.headers_of(event, new_id(), source="test", at=SystemClock().now()),
            body=codec.encode(event),
            sequence=sequence,
            attempts=11,
            reason="exhausted",
            error=RuntimeError(),
        )
    operator = await connect(server, tmp_path, OPERATOR)
    retention = await connect(server, tmp_path, "retention")
    letters = [letter async for page in DeadLetters(operator).pages() for letter in page]
    assert await DeadLetters(operator).replay(letters[:1]) == {}
    assert await DeadLetters(operator).drop(letters[1:2]) == {}
    assert await DeadLetters(operator).find(letters[0].id) is None
    seen = [letter async for page in DeadLetters(retention).pages() for letter in page]
    assert [letter.id for letter in seen] == [letters[2].id]
    assert await DeadLetters(retention).drop(seen) == {}
    assert (await operator.jetstream().stream_info(topology.DEAD_LETTERS)).state.messages == 0
    assert (await operator.jetstream().stream_info("CONTENT")).state.messages == 1
    for client in (scheduler, operator, retention):
        await client.close()


async def has_effect(units: Units[Transaction]) -> bool:
    async with units(Scope.worker()) as transaction:
        return bool(await transaction.scalar("SELECT count(*) FROM effect"))


async def is_parked(server: EmbeddedNats, folder: Path) -> bool:
    operator = await connect(server, folder, OPERATOR)
    info = await operator.jetstream().stream_info(topology.DEAD_LETTERS)
    await operator.close()
    return info.state.messages == 1
