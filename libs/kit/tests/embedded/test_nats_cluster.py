"""Three servers as one: what is confirmed outlives any of them, and each keeps to the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import nats.errors
import nats.js.errors
import pytest
from contracts.topology import CONSUMERS, STREAMS
from kit import bus
from kit.embedded.nats_cluster import EmbeddedNatsCluster
from kit.embedded.nats_server import NatsUser
from kit.identities import OPERATOR, generate_seeds, permissions_of, public_key, seed_file
from kit.ids import new_id
from kit.settings import BusSettings
from kit.streams import TopologySettings
from kit.testing import wait_for
from kit.testing.authority import Authority
from kit.topology import differences, reconcile
from nats.aio.client import Client
from nats.js import JetStreamContext

USERS = ("content", "metrics", OPERATOR)
THREE = TopologySettings(replicas=3)
ELECTION_SECONDS = 30.0
"""Servers notice the loss of a leader after four to nine seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    generate_seeds(folder, USERS)
    return folder


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[EmbeddedNatsCluster]:
    """Encrypted, with the users of an installation, and with its topology, applied by three at once."""
    users = []
    for name in USERS:
        allowed = permissions_of(name)
        key = public_key(seed_file(folder, name))
        users.append(NatsUser(name, key, publish=list(allowed.publish), subscribe=list(allowed.subscribe)))
    cluster = EmbeddedNatsCluster(folder, users=users, tls=Authority(folder).nats())
    cluster.start_blocking()
    asyncio.run(apply_on_each(cluster, folder))
    yield cluster
    cluster.stop_blocking()


async def apply_on_each(cluster: EmbeddedNatsCluster, folder: Path) -> None:
    clients = [await connect(url, folder, OPERATOR) for url in cluster.urls]
    await asyncio.gather(*(reconcile(client.jetstream(timeout=ELECTION_SECONDS), THREE) for client in clients))
    for client in clients:
        await client.close()


async def connect(url: str, folder: Path, user: str) -> Client:
    settings = BusSettings(url, seed_file=seed_file(folder, user), ca_file=folder / "authority.ca.pem")
    return await bus.connect(settings, user)


async def stored(jetstream: JetStreamContext) -> bool:
    """Whether an event is confirmed; for some seconds after the loss of a server none is."""
    try:
        await jetstream.publish(f"post.deleted.v1.{new_id()}", b"{}", stream="CONTENT", timeout=1)
    except (nats.errors.Error, nats.js.errors.Error):
        return False
    return True


async def test_streams_and_consumers_lie_on_every_server(cluster: EmbeddedNatsCluster, folder: Path):
    operator = await connect(cluster.url, folder, OPERATOR)
    jetstream = operator.jetstream(timeout=ELECTION_SECONDS)
    assert await differences(jetstream, THREE) == []
    places = [(await jetstream.stream_info(stream)).cluster for stream in STREAMS]
    places += [(await jetstream.consumer_info(each.stream, each.name)).cluster for each in CONSUMERS.values()]
    assert {len(place.replicas or ()) for place in places if place is not None} == {2}
    assert None not in places
    await operator.close()


@pytest.mark.parametrize("number", range(3))
async def test_every_server_keeps_to_the_same_rules(cluster: EmbeddedNatsCluster, folder: Path, number: int):
    content = await connect(cluster.urls[number], folder, "content")
    metrics = await connect(cluster.urls[number], folder, "metrics")
    await wait_for(lambda: stored(content.jetstream()), ELECTION_SECONDS)
    await metrics.publish(f"post.deleted.v1.{new_id()}", b"{}")
    await wait_for(lambda: "permissions violation" in str(metrics.last_error).lower())
    await content.close()
    await metrics.close()


async def test_what_was_confirmed_outlives_the_server_that_confirmed_it(cluster: EmbeddedNatsCluster, folder: Path):
    operator = await connect(cluster.url, folder, OPERATOR)
    content = await connect(cluster.url, folder, "content")
    before = (await operator.jetstream().stream_info("CONTENT")).state.messages
    for _ in range(10):
        assert await stored(content.jetstream())
    place = (await operator.jetstream().stream_info("CONTENT")).cluster
    assert place is not None
    assert place.leader is not None
    lost = cluster.number_of(place.leader)
    await cluster.kill(lost)
    # What it led gives no answer for some seconds; whoever asks about the topology waits for one.
    assert await differences(operator.jetstream(), THREE) == []
    await wait_for(lambda: stored(content.jetstream()), ELECTION_SECONDS)
    await cluster.start(lost)
    info = await operator.jetstream(timeout=30).stream_info("CONTENT")
    # What was not confirmed during the election may have been stored all the same.
    assert info.state.messages >= before + 11
    await content.close()
    await operator.close()
