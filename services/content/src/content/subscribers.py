"""The event edge: what publisher tells about posts."""

from __future__ import annotations

from contracts.publisher import (
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationMissedV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
)
from contracts.topology import CONSUMERS
from kit.clock import Clock
from kit.database import Units
from kit.subscription import Subscription

from content.ports import Store
from content.use_cases.follow_publication import News, follow_publication


def publications(units: Units[Store], clock: Clock) -> Subscription:
    subscription = Subscription(CONSUMERS["content-publisher"])

    async def on_news(news: News) -> None:
        await follow_publication(news, at=clock.now(), store=units.joined())

    subscription.on(PublicationPublishedV1)(on_news)
    subscription.on(PublicationFailedV1)(on_news)
    subscription.on(PublicationNeedsAttentionV1)(on_news)
    subscription.on(PublicationCancelledV1)(on_news)
    subscription.on(PublicationMissedV1)(on_news)
    return subscription
