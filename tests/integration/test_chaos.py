"""Everything dies at random under load, again and again: every fact has its effects once, and in order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kit.embedded import EmbeddedNats

from tests.integration.chaos.driver import torment
from tests.integration.chaos.house import furnished
from tests.integration.chaos.plan import Plan

SEED = 20_261_122
ROUNDS = 25
FACTS_PER_ROUND = 80
REPLICAS = 2
"""Of each service, as in the cluster: one consumes, the other stands by."""


@pytest.mark.promise("P43")
async def test_a_few_kills_lose_nothing_repeat_nothing_and_swap_nothing(server_folder: Path):
    plan = Plan.of(_number("CHAOS_SEED", SEED), rounds=6, facts_per_round=30, replicas=1)
    await _run(plan, server_folder / "few-kills", again="make test ARGS='-k a_few_kills'")


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.promise("P43")
async def test_many_kills_lose_nothing_repeat_nothing_and_swap_nothing(server_folder: Path):
    rounds, replicas = _number("CHAOS_ROUNDS", ROUNDS), _number("CHAOS_REPLICAS", REPLICAS)
    plan = Plan.of(_number("CHAOS_SEED", SEED), rounds=rounds, facts_per_round=FACTS_PER_ROUND, replicas=replicas)
    again = f"CHAOS_ROUNDS={rounds} CHAOS_REPLICAS={replicas} make test-chaos"
    await _run(plan, server_folder / "many-kills", again=again)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


async def _run(plan: Plan, folder: Path, *, again: str) -> None:
    # With its durable settings: what it confirmed must outlive it.
    async with EmbeddedNats(folder) as server, furnished(folder, plan, server) as house:
        await torment(house, plan, again=f"CHAOS_SEED={plan.seed} {again}")
