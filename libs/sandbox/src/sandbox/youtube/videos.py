"""The imitated videos: list, update, delete, and the counts on their own."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, delete, get, put
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, share_of
from sandbox.shown import permalink
from sandbox.youtube.answers import (
    AnyRequest,
    ApiError,
    body_of,
    document,
    listed,
    listing,
    part_of,
    parts_of,
    resource,
)
from sandbox.youtube.metadata import checked_snippet, checked_status
from sandbox.youtube.platform_state import NAME, YouTubeState
from sandbox.youtube.state import CHANGING, READING, Grant, Video, told

OWNERS_PARTS = ("processingDetails", "fileDetails", "suggestions", "paidProductPlacementDetails")
PARTS = ("id", "snippet", "status", "statistics", "contentDetails", *OWNERS_PARTS)
CHANGEABLE = ("snippet", "status", "paidProductPlacementDetails")
IDS_MAX = 50


def create_router(state: YouTubeState) -> Router:
    """Routes of videos, and of the pages they are watched on."""
    return Router("/", route_handlers=[*_reading(state), *_changing(state), *_pages(state)])


def _reading(state: YouTubeState) -> list[HTTPRouteHandler]:
    @get("/youtube/v3/videos", sync_to_thread=False)
    def list_videos(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *READING)
        parts = parts_of(request, PARTS)
        videos = _asked_for(state, grant, request)
        if set(parts) & set(OWNERS_PARTS) and any(video.channel_id != grant.channel_id for video in videos):
            raise ApiError(403, "forbidden", "The part is for the video's owner only.")
        items = [told_video(state, v, parts, owner=v.channel_id == grant.channel_id) for v in videos]
        return listing("videoListResponse", items, per_page=len(items))

    @get("/youtube/v3/videos:batchGetStats", sync_to_thread=False)
    def stats(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *READING, bucket="stats")
        parts_of(request, ("id", "snippet", "statistics", "contentDetails"))
        items = []
        for video in _asked_for(state, grant, request):
            counts = statistics_of(state, video, owner=False)
            counts.pop("favoriteCount")
            items.append(resource("videoStats", {"id": video.video_id, "statistics": counts}))
        return document(resource("batchGetStatsResponse", {"items": items}))

    return [list_videos, stats]


def _changing(state: YouTubeState) -> list[HTTPRouteHandler]:
    @put("/youtube/v3/videos", status_code=200)
    async def update(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, *CHANGING, cost=50)
        parts, body = parts_of(request, PARTS), await body_of(request)
        video = state.own_video(grant, str(body.get("id", "")))
        _change(state, grant, video, [part for part in parts if part in CHANGEABLE], body)
        return document(told_video(state, video, parts, owner=True))

    @delete("/youtube/v3/videos", status_code=204, sync_to_thread=False)
    def remove(request: AnyRequest) -> None:
        grant = state.authenticate(request, *CHANGING, cost=50)
        video = state.own_video(grant, request.query_params.get("id", ""))
        delete_video(state, video)

    return [update, remove]


def _pages(state: YouTubeState) -> list[HTTPRouteHandler]:
    """What a person sees behind a video's address."""

    def shown(video_id: str) -> Response[str]:
        video = state.videos.get(video_id)
        author = state.channels[video.channel_id].title if video else ""
        return permalink(state.truth, NAME, video_id, author=author)

    @get("/watch", sync_to_thread=False)
    def watch(request: AnyRequest) -> Response[str]:
        return shown(request.query_params.get("v", ""))

    @get("/shorts/{video_id:str}", sync_to_thread=False)
    def short(request: AnyRequest) -> Response[str]:
        return shown(str(request.path_params["video_id"]))

    return [watch, short]


def delete_video(state: YouTubeState, video: Video) -> None:
    """As its owner does it, here or in Studio."""
    del state.videos[video.video_id]
    for playlist in state.playlists.values():
        playlist.items = [item for item in playlist.items if item.video_id != video.video_id]
    if video.post is not None:
        video.post.removed = True
        state.hub.push(state.channels[video.channel_id], video, at=state.clock.now(), removed=True)


def told_video(state: YouTubeState, video: Video, parts: list[str], *, owner: bool) -> dict[str, Any]:
    """The video resource with the parts asked for."""
    makers: dict[str, Any] = {
        "snippet": lambda: _snippet(state, video),
        "status": lambda: _status(state, video),
        "statistics": lambda: statistics_of(state, video, owner=owner),
        "contentDetails": lambda: {"duration": "PT12S", "dimension": "2d", "definition": "hd", "caption": "false"},
        "processingDetails": lambda: _processing(state, video),
        "fileDetails": lambda: {"fileName": "unknown", "fileSize": str(video.size), "fileType": "video"},
        "suggestions": dict,
        "paidProductPlacementDetails": lambda: {"hasPaidProductPlacement": video.paid_promotion},
    }
    fields: dict[str, Any] = {"id": video.video_id}
    return resource("video", fields | {part: makers[part]() for part in parts if part in makers})


def statistics_of(state: YouTubeState, video: Video, *, owner: bool) -> dict[str, str]:
    """Counts as text, as every 64-bit number of Google's."""
    views = views_of(state, video)
    counts = {
        "viewCount": views,
        "likeCount": share_of(views, video.video_id, "like", permille=40),
        "favoriteCount": 0,
    }
    channel = state.channels[video.channel_id]
    if not channel.comments_disabled and not video.status["selfDeclaredMadeForKids"]:
        written = sum(comment.video_id == video.video_id for comment in state.comments)
        counts["commentCount"] = share_of(views, video.video_id, "comment", permille=6) + written
    if owner:
        counts["dislikeCount"] = share_of(views, video.video_id, "dislike", permille=2)
    return {name: str(count) for name, count in counts.items()}


def views_of(state: YouTubeState, video: Video, *, seconds_ago: float = 0.0) -> int:
    """Views so far, or as of some time ago."""
    if video.post is None:
        return 0
    now = state.clock.now().timestamp() - seconds_ago
    moment = type(video.uploaded_at).fromtimestamp(now, video.uploaded_at.tzinfo)
    return audience(video.video_id, posted_at=video.post.posted_at, now=moment)


def thumbnails_of(base_url: str, video_id: str) -> dict[str, Any]:
    sizes = {"default": (120, 90), "medium": (320, 180), "high": (480, 360)}
    return {
        name: {"url": f"{base_url}/vi/{video_id}/{name}.jpg", "width": width, "height": height}
        for name, (width, height) in sizes.items()
    }


def _asked_for(state: YouTubeState, grant: Grant, request: AnyRequest) -> list[Video]:
    """The videos of `id` that the caller may see; deleted and others' private ones are left out."""
    ids = listed(request, "id")
    if not ids:
        raise ApiError(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
    if len(ids) > IDS_MAX:
        raise ApiError(400, "invalidParameter", f"id holds more than {IDS_MAX} ids", domain="youtube.parameter")
    found = [state.videos[video_id] for video_id in dict.fromkeys(ids) if video_id in state.videos]
    return [video for video in found if video.channel_id == grant.channel_id or video.privacy != "private"]


def _change(state: YouTubeState, grant: Grant, video: Video, parts: list[str], body: dict[str, Any]) -> None:
    """Replace each named part as a whole, after all of them were found good."""
    snippet, status = video.snippet, video.status
    if "snippet" in parts:
        snippet = checked_snippet(part_of(body, "snippet"), whole=True)
    if "status" in parts:
        status = checked_status(part_of(body, "status"), shown_at=video.post.posted_at if video.post else None)
        if status["privacyStatus"] != "private" and not state.clients[grant.client_id].audited:
            raise ApiError(403, "forbiddenPrivacySetting", "The video's privacy setting cannot be changed.")
    if "paidProductPlacementDetails" in parts:
        told_part = part_of(body, "paidProductPlacementDetails")
        video.paid_promotion = bool(told_part.get("hasPaidProductPlacement"))
    renamed = snippet != video.snippet
    video.snippet, video.status = snippet, status
    if "status" in parts:
        state.shown(video)
    if renamed and video.post is not None and not video.post.removed:
        video.post.text = str(snippet.get("description", ""))
        state.hub.push(state.channels[video.channel_id], video, at=state.clock.now())


def _snippet(state: YouTubeState, video: Video) -> dict[str, Any]:
    return {
        "publishedAt": told(video.uploaded_at),
        "channelId": video.channel_id,
        "thumbnails": thumbnails_of(state.base_url, video.video_id),
        "channelTitle": state.channels[video.channel_id].title,
        "liveBroadcastContent": "none",
        "localized": {"title": video.snippet["title"], "description": video.snippet["description"]},
    } | video.snippet


def _status(state: YouTubeState, video: Video) -> dict[str, Any]:
    upload = video.upload_status(state.clock.now())
    fields = {"uploadStatus": upload, "madeForKids": video.status["selfDeclaredMadeForKids"]} | video.status
    if upload == "rejected":
        fields["rejectionReason"] = video.planned["rejection_reason"]
    if upload == "failed" and video.planned.get("failure_reason"):
        fields["failureReason"] = video.planned["failure_reason"]
    return fields


def _processing(state: YouTubeState, video: Video) -> dict[str, Any]:
    upload = video.upload_status(state.clock.now())
    known = {"uploaded": "processing", "failed": "failed", "rejected": "terminated"}
    fields: dict[str, Any] = {"processingStatus": known.get(upload, "succeeded"), "thumbnailsAvailability": "available"}
    if upload == "uploaded":
        left = (video.processed_at - state.clock.now()).total_seconds() * 1000
        fields["processingProgress"] = {"partsTotal": "100", "partsProcessed": "50", "timeLeftMs": str(int(left))}
    if upload == "failed" and video.planned.get("processing_failure_reason"):
        fields["processingFailureReason"] = video.planned["processing_failure_reason"]
    return fields
