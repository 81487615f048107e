"""The account's own pins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from platforms.pinterest.answers import Pins
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.limits import LISTING_PAGE, LISTING_PAGES_MAX
from platforms.shape import Call, OwnPosts, Shown


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: PinterestApi) -> None:
        self._api = api

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """Newest first, as far as is known: a page without a recent pin is followed by older ones."""
        found: list[Shown] = []
        query: dict[str, Any] = {"page_size": LISTING_PAGE}
        for _ in range(LISTING_PAGES_MAX):
            page = await self._api.get(call, "/pins", Pins, query=query)
            recent = [pin for pin in page.items if pin.time is not None and pin.time >= since]
            found += [Shown(pin.id, pin.time, pin.description or "") for pin in recent if pin.time]
            if page.bookmark is None or not recent:
                return OwnPosts(tuple(found))
            query["bookmark"] = page.bookmark
        return OwnPosts(tuple(found), complete=False)
