"""News about publications that come together are kept together: of several about one the final one stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from content.adapters.store import Store
from content.use_cases.follow_publications import News, follow_publications
from contracts.publisher import (
    PublicationCancelledV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
    PublicationRemovedV1,
)
from kit.clock import SystemClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import Bus

from services.content.tests.test_posts import news


async def test_of_several_news_at_once_the_final_one_stays(team, environment: dict[str, str]):
    saved = await team.approved()
    rising, falling, gone = (news(team, saved) for _ in range(3))
    gone |= {"post_id": new_id()}
    at = SystemClock().now()
    told: list[News] = [
        PublicationNeedsAttentionV1(**rising, code="undecided"),
        PublicationPublishedV1(**rising, published_at=at),
        PublicationPublishedV1(**falling, published_at=at),
        PublicationNeedsAttentionV1(**falling, code="undecided"),
        PublicationCancelledV1(**gone, code="late"),
    ]
    database = Database("content", Secret(environment["DATABASE_URL_CONTENT"]), SystemClock(), connections_max=1)
    await database.open()
    async with Units(database, Store)(Scope.worker()) as store:
        await follow_publications(told, at=at, store=store)
    await database.close()
    shown = (await team.post(saved))["publications"]
    assert {UUID(item["publication_id"]): item["state"] for item in shown} == {
        rising["publication_id"]: "published",
        falling["publication_id"]: "published",
    }


@pytest.mark.parametrize("together", [True, False])
async def test_a_post_that_was_taken_off_its_platform_shows_since_when(team, bus: Bus, together: bool):
    saved = await team.approved()
    facts, at = news(team, saved), SystemClock().now()
    removed = PublicationRemovedV1(**facts, removed_at=at + timedelta(hours=1))
    await bus.publish(PublicationPublishedV1(**facts, published_at=at))
    if not together:
        await wait_for(lambda: bus.settled("content-publisher"))
        (shown,) = (await team.post(saved))["publications"]
        assert (shown["state"], shown["removed_at"]) == ("published", None)
    await bus.publish(removed)
    # What comes after it takes nothing back.
    await bus.publish(PublicationPublishedV1(**facts, published_at=at))
    await wait_for(lambda: bus.settled("content-publisher"))
    (shown,) = (await team.post(saved))["publications"]
    times = [shown[name].replace("Z", "+00:00") for name in ("published_at", "removed_at")]
    assert shown["state"] == "published"
    assert times == [at.isoformat(), removed.removed_at.isoformat()]
