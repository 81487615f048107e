"""Of three NATS servers the one that leads a stream dies under load: nothing is lost, repeated or swapped."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path

import nats
import nats.errors
import pytest
from kit.embedded.nats_cluster import EmbeddedNatsCluster
from kit.streams import TopologySettings
from kit.testing import wait_for

from tests.integration.chaos.driver import torment
from tests.integration.chaos.house import furnished
from tests.integration.chaos.plan import NATS, Plan, Round

SEED = 20_261_123
STREAM = "CONTENT"


class LeaderOfStream:
    """The one server of a cluster that leads the stream, whenever it is killed."""

    def __init__(self, cluster: EmbeddedNatsCluster) -> None:
        self._cluster = cluster
        self.url = cluster.url
        self.killed: list[int] = []

    async def kill(self) -> None:
        client = await nats.connect(self._cluster.urls)
        jetstream = client.jetstream()

        async def leader() -> str:
            # While the others elect one, nobody answers for the stream.
            with suppress(nats.errors.TimeoutError):
                cluster = (await jetstream.stream_info(STREAM)).cluster
                return (cluster and cluster.leader) or ""
            return ""

        name = await wait_for(leader, what=f"a leader of {STREAM}")
        await client.close()
        self.killed.append(self._cluster.number_of(name))
        await self._cluster.kill(self.killed[-1])

    async def start(self) -> None:
        await self._cluster.start(self.killed[-1])


@pytest.mark.promise("P43")
async def test_a_cluster_that_loses_the_leader_of_a_stream_loses_repeats_and_swaps_nothing(server_folder: Path):
    folder = server_folder / "cluster"
    plan = dataclasses.replace(
        Plan.of(SEED, rounds=1, facts_per_round=200, replicas=1),
        rounds=(Round(after_facts=40, victims=(NATS,), down_seconds=0.5, again_after_seconds=None),),
    )
    async with EmbeddedNatsCluster(folder) as cluster:
        leader = LeaderOfStream(cluster)
        async with furnished(folder, plan, leader, TopologySettings(replicas=3)) as house:
            await torment(house, plan, again="make test ARGS='-k leader_of_a_stream'")
    assert len(leader.killed) == 1
