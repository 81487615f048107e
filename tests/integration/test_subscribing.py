"""Another system listens: the example of docs/subscribing.md as a process of its own on the real bus."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import nats
import nats.errors
import pytest
from contracts.publisher import PublicationFailedV1, PublicationPublishedV1
from kit.embedded.nats_server import EmbeddedNats, NatsUser
from kit.identities import OPERATOR, generate_seeds, inbox_prefix, permissions_of, public_key, seed_file
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus
from kit.topology import reconcile
from nats.aio.client import Client
from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "subscribing.md").read_text()
EXAMPLE = DOCS / "examples" / "subscriber.py"
NAME = "crm"
FILTER = "publication.published.*.*"
LINE_SECONDS = 20
"""For a process to start on a busy machine and print a line."""


def published() -> PublicationPublishedV1:
    return PublicationPublishedV1(
        workspace_id=new_id(),
        publication_id=new_id(),
        schedule_id=new_id(),
        post_id=new_id(),
        revision_id=new_id(),
        connection_id=new_id(),
        platform="bluesky",
        published_at=datetime.now(UTC),
    )


class Subscriber:
    """The running example."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def next_line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), LINE_SECONDS)
        return line.decode().strip()


@asynccontextmanager
async def subscribing(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Subscriber]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), env=dict(environment), cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Subscriber(process)
        assert process.returncode is None, "the example ended by itself"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def shown(event: PublicationPublishedV1) -> str:
    return f"{event.published_at} {event.platform} {event.publication_id}"


@pytest.fixture
async def clean_bus(bus: Bus) -> AsyncIterator[Bus]:
    """The shared bus without the example's consumer before and after."""
    with suppress(NotFoundError):
        await bus.jetstream.delete_consumer("PUBLISHER", NAME)
    yield bus
    with suppress(NotFoundError):
        await bus.jetstream.delete_consumer("PUBLISHER", NAME)


async def all_acknowledged(bus: Bus) -> bool:
    info = await bus.jetstream.consumer_info("PUBLISHER", NAME)
    last = (await bus.jetstream.stream_info("PUBLISHER")).state.last_seq
    return info.ack_floor is not None and info.ack_floor.stream_seq == last


async def publish_unknown(bus: Bus, name: str) -> None:
    headers = {"ce-id": str(new_id()), "ce-type": name}
    await bus.jetstream.publish(f"{name}.{new_id()}", b"{}", headers=headers, timeout=5)


async def test_the_example_acts_once_on_each_event_and_goes_on_where_it_was(
    clean_bus: Bus, nats_url: str, tmp_path: Path
):
    bus, environment = clean_bus, {"NATS_URL": nats_url}
    earlier, second, third = published(), published(), published()
    earlier_id = await bus.publish(earlier)
    async with subscribing(tmp_path, environment) as subscriber:
        assert await subscriber.next_line() == shown(earlier)
        await bus.publish(earlier, event_id=earlier_id)
        await publish_unknown(bus, "publication.published.v99")
        await publish_unknown(bus, "publication.published.later")
        await bus.publish(second)
        assert await subscriber.next_line() == shown(second)
        await wait_for(lambda: all_acknowledged(bus))
    await bus.publish(earlier, event_id=earlier_id)
    await bus.publish(third)
    async with subscribing(tmp_path, environment) as subscriber:
        assert await subscriber.next_line() == shown(third)


def test_the_page_quotes_the_example():
    assert f"```python\n{EXAMPLE.read_text()}```\n" in PAGE


def test_the_example_needs_nothing_of_ours_but_the_contracts():
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(EXAMPLE.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported - set(sys.stdlib_module_names) == {"nats", "contracts"}


def user_of_the_page(key: str) -> NatsUser:
    """The user that the page tells an operator to add."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    allowed = {direction: rule["allow"] for direction, rule in json.loads(block)["permissions"].items()}
    return NatsUser(NAME, key, publish=allowed["publish"], subscribe=allowed["subscribe"])


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    """A server that knows an operator, the publisher and the subscriber by their keys."""
    generate_seeds(tmp_path, (OPERATOR, "publisher", NAME))
    users = [user_of_the_page(public_key(seed_file(tmp_path, NAME)))]
    for name in (OPERATOR, "publisher"):
        allowed, key = permissions_of(name), public_key(seed_file(tmp_path, name))
        users.append(NatsUser(name, key, publish=list(allowed.publish), subscribe=list(allowed.subscribe)))
    async with EmbeddedNats(tmp_path / "data", users=users, durable=False) as server:
        yield server


@asynccontextmanager
async def connected(server: EmbeddedNats, folder: Path, user: str, refusals: list[str]) -> AsyncIterator[Client]:
    async def take(error: Exception) -> None:
        refusals.append(str(error).lower())

    client = await nats.connect(
        server.url,
        nkeys_seed=str(seed_file(folder, user)),
        inbox_prefix=inbox_prefix(user),
        error_cb=take,
        allow_reconnect=False,
    )
    yield client
    await client.close()


async def test_with_its_key_a_subscriber_hears_its_consumer_and_nothing_else(guarded: EmbeddedNats, tmp_path: Path):
    event, unheard = published(), PublicationFailedV1(**published().model_dump(), code="x")
    environment = {"NATS_URL": guarded.url, "NATS_SEED_FILE": str(seed_file(tmp_path, NAME))}
    async with connected(guarded, tmp_path, OPERATOR, []) as operator:
        await reconcile(operator.jetstream())
        await operator.jetstream().add_consumer("PUBLISHER", ConsumerConfig(durable_name=NAME, filter_subject=FILTER))
        async with connected(guarded, tmp_path, "publisher", []) as publisher:
            for each in (unheard, event):
                await Bus(publisher).publish(each)
        async with subscribing(tmp_path, environment) as subscriber:
            assert await subscriber.next_line() == shown(event)
        assert await reconcile(operator.jetstream()) == []
    refusals: list[str] = []
    async with connected(guarded, tmp_path, NAME, refusals) as client:
        await client.subscribe("publication.>")
        await client.publish(event.subject(), b"{}")
        with pytest.raises(nats.errors.TimeoutError):
            await client.jetstream().add_consumer("AUTH", ConsumerConfig(durable_name="more"), timeout=0.5)
        await wait_for(lambda: len(refusals) == 3)
    assert all("permissions violation" in refusal for refusal in refusals)
