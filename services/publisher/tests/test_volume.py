"""Two hundred schedules in the same second, with publishers that fail and answers that are lost."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from contracts.publisher import PublicationPublishedV1
from kit.testing import wait_for
from platforms.errors import OutcomeUnknown, Transient

from services.publisher.tests.conftest import HOUR, World
from services.publisher.tests.fakes import Fault, raising

SCHEDULES = 200


async def nothing() -> Any:
    return None


@pytest.mark.promise("P43")
async def test_none_of_many_at_once_is_lost_or_doubled(world: World):
    chance = random.Random(20_261_122)
    weak: list[Fault] = [nothing] * 8 + [raising(Transient("busy", "not now"))]
    lost: list[Fault] = [*weak, raising(OutcomeUnknown("no_answer", "cut"))]
    world.platform.before["stage"] = chance.choices(weak, k=SCHEDULES)
    world.platform.before["publish"] = chance.choices(lost, k=SCHEDULES)
    world.platform.after["publish"] = chance.choices(lost[:8] + lost[9:], k=SCHEDULES)
    plans = [world.plan(ahead=HOUR) for _ in range(SCHEDULES)]
    async with world.start() as client, world.start():
        await world.tell(*(plan.created() for plan in plans))
        world.clock.advance(HOUR)
        await world.tell(*(plan.due() for plan in plans))

        async def all_out() -> bool:
            found = await world.seen(client)
            return len(found) == SCHEDULES and {publication["state"] for publication in found} == {"published"}

        await wait_for(all_out, 60)
    posted = Counter(publication_id for publication_id, _ in world.platform.posts)
    assert len(posted) == SCHEDULES
    assert set(posted.values()) == {1}
    assert len(await world.bus.wait_told(PublicationPublishedV1, SCHEDULES)) == SCHEDULES
