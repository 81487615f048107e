"""What became of posts in numbers: comments, reactions and shares as fields, views and clicks as metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from platforms.errors import Rejected
from platforms.facebook.answers import Engagement, Metrics
from platforms.facebook.limits import INSIGHTS_AT_ONCE
from platforms.meta.graph import Graph
from platforms.shape import Call, Counts

METRICS = ("post_media_view", "post_total_media_view_unique", "post_clicks", "post_video_view_time")
"""Views, people who saw it, clicks, milliseconds watched."""

_FIELDS = "id,shares,comments.limit(0).summary(true),reactions.limit(0).summary(true)"
_GONE = "100.33"
_MILLISECONDS = 1000


class Insights:
    """Reads one post after the other, a few at a time."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def read(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Counts by post; a post that is gone, or not ours to see, is absent."""
        turns = asyncio.Semaphore(INSIGHTS_AT_ONCE)

        async def one(post_id: str) -> Counts | None:
            async with turns:
                return await self._of(call, post_id)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {post_id: group.create_task(one(post_id)) for post_id in post_ids}
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return {post_id: counts for post_id, task in tasks.items() if (counts := task.result()) is not None}

    async def _of(self, call: Call, post_id: str) -> Counts | None:
        try:
            told = await self._graph.get(call, post_id, Engagement, fields=_FIELDS)
        except Rejected as error:
            if error.code == _GONE:
                return None
            # A story lacks some of these fields; that must not cost the other posts their numbers.
            told = None
        metrics = await self._metrics(call, post_id)
        watched = metrics.get("post_video_view_time")
        return Counts(
            views=_whole(metrics.get("post_media_view")),
            reach=_whole(metrics.get("post_total_media_view_unique")),
            clicks=_whole(metrics.get("post_clicks")),
            likes=told.reactions.summary.total_count if told else None,
            comments=told.comments.summary.total_count if told else None,
            shares=told.shares.count if told else None,
            watch_seconds=None if watched is None else watched / _MILLISECONDS,
        )

    async def _metrics(self, call: Call, post_id: str) -> dict[str, float]:
        """All at once; one that Facebook has withdrawn fails the whole call, and then each is asked for by itself."""
        try:
            return await self._ask(call, post_id, METRICS)
        except Rejected:
            found: dict[str, float] = {}
            for metric in METRICS:
                try:
                    found |= await self._ask(call, post_id, (metric,))
                except Rejected:
                    continue
            return found

    async def _ask(self, call: Call, post_id: str, metrics: Sequence[str]) -> dict[str, float]:
        told = await self._graph.get(call, f"{post_id}/insights", Metrics, metric=",".join(metrics))
        return {item.name: number for item in told.data if (number := item.number()) is not None}


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
