"""The account's own posts, as far as they are public and moderated."""

from __future__ import annotations

from datetime import UTC, datetime

from platforms.shape import Call, OwnPosts, Shown
from platforms.tiktok import answers
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.limits import LISTING_MAX

LEFT_OUT = "private posts, posts in moderation, perhaps all photos, and whatever is behind the newest twenty"


class Listing:
    """Satisfies `platforms.composed.Listing`."""

    def __init__(self, api: TikTokApi) -> None:
        self._api = api

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        fields = "id,create_time,title,video_description"
        listed = await self._api.post(call, "video/list/", {"max_count": LISTING_MAX}, answers.Listing, fields=fields)
        posts = [
            Shown(each.id, datetime.fromtimestamp(each.create_time, UTC), each.video_description or each.title)
            for each in listed.videos
        ]
        return OwnPosts(tuple(each for each in posts if each.posted_at >= since), complete=False, left_out=LEFT_OUT)
