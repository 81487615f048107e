"""The imitated Analytics API: one table by video or by day, two days behind."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from litestar import Response, Router, get

from sandbox.insights import share_of
from sandbox.youtube.answers import AnyRequest, ApiError, document
from sandbox.youtube.platform_state import YouTubeState
from sandbox.youtube.state import ANALYTICS, MANAGE, PACIFIC, READ, Video
from sandbox.youtube.videos import views_of

LAG_SECONDS = 48 * 3600
METRICS = (
    "views",
    "engagedViews",
    "likes",
    "comments",
    "shares",
    "estimatedMinutesWatched",
    "averageViewDuration",
)
ROWS_MAX = 200
IDS_MAX = 500


def create_router(state: YouTubeState) -> Router:
    """The one route of the Analytics API. Its quota is per minute and not imitated."""

    @get("/v2/reports", sync_to_thread=False)
    def report(request: AnyRequest) -> Response[bytes]:
        grant = state.signed_in(request)
        if not {ANALYTICS, READ, MANAGE} & set(grant.scopes):
            raise ApiError(403, "insufficientPermissions", "Insufficient permission", domain="global")
        query = request.query_params
        dimension, metrics = query.get("dimensions"), query.get("metrics", "").split(",")
        if query.get("ids") not in ("channel==MINE", f"channel=={grant.channel_id}"):
            raise ApiError(403, "forbidden", "Forbidden", domain="global")
        _first, last = _date(query.get("startDate")), _date(query.get("endDate"))
        known = dimension in (None, "video") and all(metric in METRICS for metric in metrics)
        sorted_and_cut = query.get("sort") and query.get("maxResults", "").isdigit()
        if not known or (dimension == "video" and not (sorted_and_cut and int(query["maxResults"]) <= ROWS_MAX)):
            raise ApiError(400, "badRequest", "The query is not supported. Check the documentation.", domain="global")
        videos = _filtered(state, grant.channel_id, query.get("filters"), last)
        columns = [("video", "DIMENSION", "STRING")] if dimension else []
        headers = columns + [(metric, "METRIC", "INTEGER") for metric in metrics]
        rows = [[video.video_id, *_row(state, [video], metrics)] for video in videos]
        if not dimension:
            rows = [list(_row(state, videos, metrics))] if videos else []
        told: dict[str, Any] = {
            "kind": "youtubeAnalytics#resultTable",
            "columnHeaders": [{"name": n, "columnType": c, "dataType": t} for n, c, t in headers],
        }
        return document(told | ({"rows": rows} if rows else {}))

    return Router("/", route_handlers=[report])


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise ApiError(400, "badRequest", "Invalid date", domain="global") from None


def _filtered(state: YouTubeState, channel_id: str, filters: str | None, last: date) -> list[Video]:
    """The channel's videos of which there is something to tell yet, the most watched first."""
    own = [video for video in state.videos.values() if video.channel_id == channel_id and video.post is not None]
    if filters is not None:
        found = re.fullmatch(r"video==([A-Za-z0-9_,-]+)", filters)
        ids = found[1].split(",") if found else []
        if not ids or len(ids) > IDS_MAX:
            raise ApiError(400, "badRequest", "Invalid filters", domain="global")
        own = [video for video in own if video.video_id in ids]
    until = min(state.clock.now() - timedelta(seconds=LAG_SECONDS), state.clock.now())
    told = [v for v in own if v.post and v.post.posted_at < until and v.uploaded_at.astimezone(PACIFIC).date() <= last]
    return sorted(told, key=lambda video: views_of(state, video, seconds_ago=LAG_SECONDS), reverse=True)


def _row(state: YouTubeState, videos: list[Video], metrics: list[str]) -> list[int]:
    totals = [_counts(state, video) for video in videos]
    return [sum(counts[metric] for counts in totals) for metric in metrics]


def _counts(state: YouTubeState, video: Video) -> dict[str, int]:
    views = views_of(state, video, seconds_ago=LAG_SECONDS)
    return {
        "views": views,
        "engagedViews": views * 7 // 10,
        "likes": share_of(views, video.video_id, "like", permille=40),
        "comments": share_of(views, video.video_id, "comment", permille=6),
        "shares": share_of(views, video.video_id, "share", permille=9),
        "estimatedMinutesWatched": views // 6,
        "averageViewDuration": 10,
    }
