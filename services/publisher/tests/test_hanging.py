"""A platform that answers nobody holds up its own publications and no others, whichever step it hangs in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from contracts.auth import ConnectionEstablishedV1
from kit.calls import Transports
from kit.testing import wait_for
from litestar import Litestar
from platforms.environment import OfferedPlatforms
from platforms.platform import Platform
from platforms.shape import PlatformName
from publisher.domain.places import FEW, Places
from publisher.jobs import lanes
from publisher.main import create_app

from services.publisher.tests.conftest import Plan, World
from services.publisher.tests.fakes import FakePlatform

SLOTS = 12
NEARLY = SLOTS - SLOTS // FEW
"""With more than these at work a platform gets nothing more."""

HANGING = 3 * SLOTS


class Hanging(FakePlatform):
    """Answers a step only when it is let go."""

    name = PlatformName.FACEBOOK

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    def hang_in(self, step: str) -> None:
        self.before[step] = [self._hang] * HANGING

    async def _hang(self) -> Any:
        await self.let_go.wait()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    monkeypatch.setattr(lanes, "STAGE_SLOTS", SLOTS)
    monkeypatch.setattr(lanes, "PUBLISH_SLOTS", SLOTS)
    platform = Hanging()
    yield platform
    platform.let_go.set()


@pytest.fixture
def create(
    environment: dict[str, str], transports: Transports, platform: FakePlatform, hanging: Hanging
) -> Callable[[], Litestar]:
    platforms = {each.name: cast("Platform", each) for each in (platform, hanging)}
    offered = OfferedPlatforms(platforms=platforms, credentials={}, allowed_hosts={})
    return lambda: create_app(environment, transports=transports, offered=offered)


def established(plan: Plan) -> ConnectionEstablishedV1:
    (variant,) = plan.revision.variants
    return ConnectionEstablishedV1(
        workspace_id=plan.workspace_id, connection_id=variant.connection_id, platform=variant.platform
    )


@pytest.mark.parametrize("step", ["stage", "publish"])
async def test_a_platform_that_hangs_holds_up_no_other(world: World, hanging: Hanging, step: str):
    hanging.hang_in(step)
    async with world.start() as client:
        stuck = [world.plan(platform="facebook") for _ in range(HANGING)]
        other = world.plan(platform="bluesky")
        await world.tell(*(established(plan) for plan in (*stuck, other)))
        await wait_for(lambda: world.bus.settled("publisher-auth"))
        await world.tell(*(event for plan in stuck for event in (plan.created(), plan.due())))
        await wait_for(lambda: hanging.calls[step] > NEARLY)
        await world.tell(other.created(), other.due())
        await world.wait(client, other, "published")
        assert NEARLY < hanging.calls[step] <= SLOTS
        assert hanging.posts == []
        hanging.let_go.set()
        await wait_for(lambda: len(hanging.posts) == HANGING, 30, what="what hung, after it was let go")


def test_a_platform_that_is_nearly_full_gets_nothing_and_others_as_many_as_each_may_have():
    places = Places(each=12, total=30)
    places.take(["facebook"] * 11 + ["bluesky"] * 4)
    assert places.full == {"facebook"}
    assert places.free(places.full) == 8
    places.take(["bluesky"] * 8 + ["x"] * 5)
    assert places.full == {"facebook", "bluesky"}
    assert places.free(places.full) == 2
    places.take(["x"])
    assert places.free(places.full) == 0
    places.give_back("facebook")
    assert places.full == {"bluesky"}
    assert places.free(places.full) == 2
