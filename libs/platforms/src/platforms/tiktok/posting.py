"""A post's way to TikTok, which is another one for photos than for a video."""

from __future__ import annotations

from platforms import composed
from platforms.shape import Call, Delivery, Finding, Journal, Outcome
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.photos import Photos
from platforms.tiktok.rules import is_photos
from platforms.tiktok.videos import Videos


class Posting:
    """The publishing half of the TikTok client."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._photos = Photos(endpoints)
        self._videos = Videos(endpoints)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        await self._way(delivery).stage(call, delivery, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._way(delivery).publish(call, delivery, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._way(delivery).status(call, delivery, journal)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        return await self._way(delivery).reconcile(call, delivery, journal)

    def _way(self, delivery: Delivery) -> composed.Posting:
        return self._photos if is_photos(delivery.media) else self._videos
