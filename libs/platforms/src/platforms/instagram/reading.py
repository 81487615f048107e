"""Who the account is, and a post's numbers: its product says which of them Instagram counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.instagram.answers import Me, Medium, Metrics
from platforms.instagram.errors import GONE, NO_VIEWERS
from platforms.instagram.limits import INSIGHTS_AT_ONCE
from platforms.meta.graph import Graph
from platforms.shape import Call, Counts, Profile

_FEED = ("views", "reach", "likes", "comments", "saved", "shares")
METRICS: Mapping[str, tuple[str, ...]] = {
    "FEED": _FEED,
    "REELS": (*_FEED, "ig_reels_video_view_total_time"),
    "STORY": ("views", "reach", "shares", "link_clicks"),
}
"""By product. Impressions, plays and video_views have ended; one unknown name fails the whole question."""

INSIGHTS_SCOPE = "instagram_business_manage_insights"


class Reading:
    """Satisfies `platforms.composed.Reading`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def profile(self, call: Call) -> Profile:
        """`union_id` is the person's id in our application: callbacks tell who left by that."""
        fields = "id,user_id,username,name,account_type,profile_picture_url"
        me = await self._graph.get(call, "me", Me, fields=fields)
        return Profile(
            account_id=str(me.user_id),
            handle=me.username,
            display_name=me.name or me.username,
            avatar_url=me.profile_picture_url or None,
            account_type=me.account_type,
            union_id=str(me.id) or None,
        )

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Lifetime totals. A post that is gone, as a story is after a day, is left out."""
        turns = asyncio.Semaphore(INSIGHTS_AT_ONCE)

        async def count(post_id: str) -> Counts | None:
            async with turns:
                return await self._count(call, post_id)

        answers = await asyncio.gather(*map(count, post_ids), return_exceptions=True)
        found = {}
        for post_id, answer in zip(post_ids, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if answer is not None:
                found[post_id] = answer
        return found

    async def _count(self, call: Call, post_id: str) -> Counts | None:
        try:
            fields = "id,media_product_type,like_count,comments_count"
            medium = await self._graph.get(call, post_id, Medium, fields=fields)
        except Rejected as error:
            if error.code in GONE:
                return None
            raise
        numbers = await self._numbers(call, medium)
        milliseconds = numbers.get("ig_reels_video_view_total_time")
        return Counts(
            views=_whole(numbers.get("views")),
            likes=_whole(numbers.get("likes", medium.like_count)),
            comments=_whole(numbers.get("comments", medium.comments_count)),
            shares=_whole(numbers.get("shares")),
            reach=_whole(numbers.get("reach")),
            saves=_whole(numbers.get("saved")),
            clicks=_whole(numbers.get("link_clicks")),
            watch_seconds=None if milliseconds is None else milliseconds / 1000,
        )

    async def _numbers(self, call: Call, medium: Medium) -> Mapping[str, float]:
        """What Instagram counts of a post; where it refuses the question as a whole, each number by itself."""
        names = METRICS.get(medium.media_product_type, _FEED)
        try:
            return await self._ask(call, medium.id, names)
        except Rejected as error:
            if not _is_about_metrics(error):
                raise
        numbers: dict[str, float] = {}
        for name in names:
            try:
                numbers |= await self._ask(call, medium.id, (name,))
            except Rejected as error:
                if not _is_about_metrics(error):
                    raise
        return numbers

    async def _ask(self, call: Call, post_id: str, names: Sequence[str]) -> Mapping[str, float]:
        try:
            told = await self._graph.get(call, f"{post_id}/insights", Metrics, metric=",".join(names))
        except ReauthorisationNeeded as error:
            # The code of a missing permission is also that of a post which too few people saw.
            if error.code == NO_VIEWERS and INSIGHTS_SCOPE in call.grant.scopes:
                return {}
            raise
        return {metric.name: metric.number for metric in told.data if metric.number is not None}


def _is_about_metrics(error: Rejected) -> bool:
    return error.code.partition(".")[0] == "100" and error.code not in GONE


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
