"""Who the channel is, and what became of its videos in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from platforms.errors import PlatformError
from platforms.shape import Call, Counts, Profile
from platforms.wire import send
from platforms.youtube import answers
from platforms.youtube.api import YouTubeApi, bearer, checked
from platforms.youtube.channels import Channels, profile_of
from platforms.youtube.errors import PACIFIC
from platforms.youtube.oauth import ANALYTICS

METRICS = ("views", "shares", "estimatedMinutesWatched")
# Before YouTube's first video; the Analytics API takes no open beginning.
FIRST_DAY = "2005-02-14"
# What the Analytics API takes at most for a table by video.
REPORT_ROWS_MAX = 200


class Reading:
    """Satisfies `platforms.composed.Reading`."""

    def __init__(self, api: YouTubeApi, channels: Channels) -> None:
        self._api = api
        self._channels = channels

    async def profile(self, call: Call) -> Profile:
        return profile_of(await self._channels.own(call, "snippet"))

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Lifetime totals. Shares and watched time come two or three days late, and only with their permission."""
        query = {"part": "statistics", "id": ",".join(post_ids)}
        videos = (await self._api.get(call, "videos", query, answers.Videos)).items
        counts = {
            video.id: Counts(
                views=video.statistics.view_count,
                likes=video.statistics.like_count,
                comments=video.statistics.comment_count,
            )
            for video in videos
        }
        if counts and ANALYTICS in call.grant.scopes:
            counts = await self._with_analytics(call, counts)
        return counts

    async def _with_analytics(self, call: Call, counts: Mapping[str, Counts]) -> dict[str, Counts]:
        """Counts with what only Analytics has. It is an API of its own: where it fails, the others still count."""
        try:
            rows = await self._report(call, list(counts))
        except PlatformError:
            return dict(counts)
        added = dict(counts)
        for row in rows:
            video_id = str(row.get("video"))
            if video_id in added:
                minutes, shares = row.get("estimatedMinutesWatched"), row.get("shares")
                added[video_id] = replace(
                    added[video_id],
                    shares=None if shares is None else int(shares),
                    watch_seconds=None if minutes is None else float(minutes) * 60,
                )
        return added

    async def _report(self, call: Call, video_ids: Sequence[str]) -> list[dict[str, str | int | float]]:
        today = call.clock.now().astimezone(PACIFIC).date()
        query = {
            "ids": "channel==MINE",
            "startDate": FIRST_DAY,
            "endDate": today.isoformat(),
            "metrics": ",".join(METRICS),
            "dimensions": "video",
            "filters": "video==" + ",".join(video_ids),
            "sort": "-views",
            "maxResults": str(REPORT_ROWS_MAX),
        }
        url = f"{self._api.endpoints.analytics}/v2/reports"
        answer = await send(call.http, call.http.build_request("GET", url, params=query, headers=bearer(call)))
        report = checked(call, answer).parse(answers.Report)
        names = [column.name for column in report.column_headers]
        return [dict(zip(names, row, strict=False)) for row in report.rows]
