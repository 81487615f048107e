"""News about publications that come together are kept together: of several about one the final one stays."""

from __future__ import annotations

from uuid import UUID

from content.adapters.store import Store
from content.use_cases.follow_publications import News, follow_publications
from contracts.publisher import PublicationCancelledV1, PublicationNeedsAttentionV1, PublicationPublishedV1
from kit.clock import SystemClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret

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
