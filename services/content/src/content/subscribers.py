"""The event edge: what publisher tells about posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from contracts.topology import CONSUMERS
from kit.clock import Clock
from kit.database import Units
from kit.subscription import Subscription

from content.ports import Store
from content.use_cases.follow_publications import News, follow_publications


def publications(units: Units[Store], clock: Clock) -> Subscription:
    subscription = Subscription(CONSUMERS["content-publisher"])

    async def on_news(news: Sequence[News]) -> None:
        await follow_publications(news, at=clock.now(), store=units.joined())

    for event in get_args(News):
        subscription.on_batch(event)(on_news)
    return subscription
