"""Whoever dies, whatever nine platforms answer: each post is out once, or it is said why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.torment.driver import torment
from tests.integration.torment.house import furnished
from tests.integration.torment.plan import Plan
from tests.integration.torment.room import Room

SEED = 20_261_122
POSTS = 1_000


@pytest.mark.promise("P43")
async def test_a_few_kills_double_no_publication_and_lose_none(server_folder: Path):
    plan = Plan.of(_number("CHAOS_SEED", SEED), publications=45, posts_per_strike=1)
    await _run(plan, server_folder / "few", again="make test ARGS='-k double_no_publication'")


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.promise("P43")
async def test_many_kills_double_no_publication_and_lose_none(server_folder: Path):
    posts = _number("CHAOS_POSTS", POSTS)
    plan = Plan.of(_number("CHAOS_SEED", SEED), publications=posts)
    await _run(plan, server_folder / "many", again=f"CHAOS_POSTS={posts} make test-chaos")


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


async def _run(plan: Plan, folder: Path, *, again: str) -> None:
    async with furnished(folder) as (house, owner):
        room = Room(house, owner)
        await room.furnish()
        await torment(house, room, plan, again=f"CHAOS_SEED={plan.seed} {again}")
