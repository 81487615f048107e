"""The imitated comments: one top-level comment written, the newest listed."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.youtube.answers import (
    AnyRequest,
    ApiError,
    body_of,
    document,
    listing,
    number_of,
    part_of,
    parts_of,
    resource,
)
from sandbox.youtube.platform_state import YouTubeState
from sandbox.youtube.state import SSL, Comment, Grant, Video, told

DOMAIN = "youtube.commentThread"
TEXT_MAX = 10_000


def create_router(state: YouTubeState) -> Router:
    """Routes of comment threads."""

    @post("/commentThreads", status_code=200)
    async def write(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, SSL, cost=50)
        state.channel_of(grant)
        parts_of(request, ("id", "snippet"))
        snippet = part_of(await body_of(request), "snippet")
        video = _video(state, grant, str(snippet.get("videoId", "")))
        if snippet.get("channelId") not in (None, video.channel_id):
            raise ApiError(404, "channelNotFound", domain=DOMAIN)
        text = part_of(part_of(snippet, "topLevelComment"), "snippet").get("textOriginal")
        if not isinstance(text, str) or not text.strip():
            raise ApiError(400, "commentTextRequired", domain=DOMAIN)
        if len(text) > TEXT_MAX:
            raise ApiError(400, "commentTextTooLong", domain=DOMAIN)
        comment_id = f"Ug{secrets.token_urlsafe(18)}"
        comment = Comment(comment_id, video.video_id, grant.channel_id, text.strip(), state.clock.now())
        state.comments.append(comment)
        return document(_thread(state, comment))

    return Router("/youtube/v3", route_handlers=[write, _listing(state)])


def _listing(state: YouTubeState) -> HTTPRouteHandler:
    @get("/commentThreads", sync_to_thread=False)
    def newest(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, SSL)
        parts_of(request, ("id", "snippet", "replies"))
        size = number_of(request, "maxResults", 20, 100)
        video = _video(state, grant, request.query_params.get("videoId", ""))
        found = [comment for comment in reversed(state.comments) if comment.video_id == video.video_id]
        return listing("commentThreadListResponse", [_thread(state, c) for c in found[:size]], per_page=size)

    return newest


def _video(state: YouTubeState, grant: Grant, video_id: str) -> Video:
    """A video that takes comments."""
    video = state.videos.get(video_id)
    if video is None or (video.privacy == "private" and video.channel_id != grant.channel_id):
        raise ApiError(404, "videoNotFound", domain=DOMAIN)
    if video.privacy == "private":
        raise ApiError(403, "forbidden", "The video takes no comments.", domain=DOMAIN)
    if state.channels[video.channel_id].comments_disabled or video.status["selfDeclaredMadeForKids"]:
        raise ApiError(403, "commentsDisabled", "The video has disabled comments.", domain=DOMAIN)
    return video


def _thread(state: YouTubeState, comment: Comment) -> dict[str, Any]:
    author = state.channels[comment.channel_id]
    written = told(comment.written_at)
    said = {
        "channelId": state.videos[comment.video_id].channel_id,
        "videoId": comment.video_id,
        "textDisplay": comment.text,
        "textOriginal": comment.text,
        "authorDisplayName": f"@{author.handle}",
        "authorChannelId": {"value": author.channel_id},
        "canRate": True,
        "viewerRating": "none",
        "likeCount": 0,
        "publishedAt": written,
        "updatedAt": written,
    }
    snippet = {
        "channelId": said["channelId"],
        "videoId": comment.video_id,
        "topLevelComment": resource("comment", {"id": comment.comment_id, "snippet": said}),
        "canReply": True,
        "totalReplyCount": 0,
        "isPublic": True,
    }
    return resource("commentThread", {"id": comment.comment_id, "snippet": snippet})
