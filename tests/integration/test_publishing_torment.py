"""Whoever dies, whatever nine platforms answer: each post is out once, or it is said why not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.chaos.plan import NATS, POSTGRES, service_of
from tests.integration.torment.driver import torment
from tests.integration.torment.house import furnished
from tests.integration.torment.plan import ACCOUNTS, FAULT_SHARES, Plan
from tests.integration.torment.room import Room

SEED = 20_261_122
POSTS = 1_000

DAILY_SEEDS = (38, 192, 247)
"""Of the first four hundred those that leave nothing out, see the test of them."""

KNOW_NO_KEY = frozenset({"facebook", "threads", "pinterest"})
"""Where only a look-up keeps a lost answer from becoming a double, or a post that is out from being called failed."""

LOST_ANSWERS = frozenset({"reset_after", "answer_after"})

DAILY_POSTS = 2 * len(ACCOUNTS)


@pytest.mark.promise("P43")
async def test_a_few_kills_double_no_publication_and_lose_none(server_folder: Path):
    # One house for all: to start it takes half as long as a seed.
    seed = os.environ.get("CHAOS_SEED")
    plans = [_daily(each) for each in ([int(seed)] if seed else DAILY_SEEDS)]
    await _run(plans, server_folder / "few", again="make test ARGS='-k double_no_publication'")


def test_the_daily_seeds_kill_everybody_and_meet_every_fault_on_all_platforms():
    plans = [_daily(seed) for seed in DAILY_SEEDS]

    for plan in plans:
        posted = plan.posted
        assert set(posted) == set(ACCOUNTS)
        assert {"scheduler", "publisher", NATS, POSTGRES} <= {service_of(victim) for victim in plan.kills}
        # Without look-ups each of them fails.
        assert any(name in KNOW_NO_KEY and fault in LOST_ANSWERS for name, fault in _met(plan))
    assert {fault for plan in plans for _, fault in _met(plan)} == set(FAULT_SHARES)


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.promise("P43")
async def test_many_kills_double_no_publication_and_lose_none(server_folder: Path):
    posts = _number("CHAOS_POSTS", POSTS)
    plan = Plan.of(_number("CHAOS_SEED", SEED), publications=posts)
    await _run([plan], server_folder / "many", again=f"CHAOS_POSTS={posts} make test-chaos")


def _met(plan: Plan) -> Iterator[tuple[str, str]]:
    """The faults, by platform, that are met even if nothing has to be repeated."""
    for name, count in plan.posted.items():
        yield from ((name, fault.name) for fault in plan.met(name, count))


def _daily(seed: int) -> Plan:
    return Plan.of(seed, publications=DAILY_POSTS, posts_per_strike=1, platforms_per_post=5)


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


async def _run(plans: Sequence[Plan], folder: Path, *, again: str) -> None:
    async with furnished(folder) as (house, owner):
        room = Room(house, owner)
        await room.furnish()
        for plan in plans:
            await torment(house, room, plan, again=f"CHAOS_SEED={plan.seed} {again}")
