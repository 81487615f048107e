"""The imitated videos, reels and stories of videos: an upload, `finish`, processing, and then the post or an error."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from sandbox.facebook.posting import tell_listeners
from sandbox.facebook.state import NAME, VERSION, FacebookState, Page, Video, new_id
from sandbox.fetching import NotFetched, fetch
from sandbox.meta.answers import AnyRequest, GraphError, absent, answer, invalid
from sandbox.meta.graph import Ask
from sandbox.meta.uploads import Upload, receive
from sandbox.truth import Post, PostedMedia

REELS_A_DAY = 30
VIDEO_BYTES_MAX = 10_000_000_000


def add_edges(state: FacebookState) -> None:
    """Edges of videos."""
    graph = state.graph
    graph.on("POST", "{node}/videos", lambda ask: _videos(state, ask))
    graph.on("POST", "{node}/video_reels", lambda ask: _uploaded(state, ask, "reel"))
    graph.on("POST", "{node}/video_stories", lambda ask: _uploaded(state, ask, "story"))


def create_upload_handler(state: FacebookState) -> HTTPRouteHandler:
    """The upload host's one route; its errors are in no envelope."""

    @post(f"/video-upload/{VERSION}/{{video_id:str}}", status_code=200)
    async def upload(request: AnyRequest) -> Response[bytes]:
        video_id = str(request.path_params["video_id"])
        try:
            # The address of the upload brings no proof: nothing but the token is looked at here.
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            caller = state.tokens.find(token if scheme == "OAuth" else "")
            video = state.videos.get(video_id)
            if video is None or video.page_id != caller.account_id:
                raise absent(video_id, "post")
        except GraphError as error:
            return answer({"error": error.error}, error.status)
        return await receive(request, video.upload)

    return upload


async def _videos(state: FacebookState, ask: Ask) -> Any:
    page = _writing(state, ask)
    match ask.parameters.get("upload_phase"):
        case "start":
            return _start_chunked(state, ask, page)
        case "transfer":
            return await _transfer(state, ask, page)
        case "finish":
            video = _session(state, ask, page)
            if not video.upload.complete:
                raise GraphError(6000, "There was a problem uploading your video file", subcode=1363031)
            _finish(state, ask, video)
            return {"success": True}
        case "cancel":
            del state.videos[_session(state, ask, page).video_id]
            return {"success": True}
        case None:
            return await _at_once(state, ask, page)
        case other:
            raise invalid(f"Param upload_phase must be one of start, transfer, finish, cancel: {other}")


def _start_chunked(state: FacebookState, ask: Ask, page: Page) -> dict[str, str]:
    size = ask.parameters.get("file_size", "")
    if not size.isdigit() or not 0 < int(size) <= VIDEO_BYTES_MAX:
        raise invalid("file_size is required")
    video = _create(state, ask, page, "video")
    video.upload.size = int(size)
    return {"upload_session_id": video.session_id, "video_id": video.video_id} | _span(state, video)


async def _transfer(state: FacebookState, ask: Ask, page: Page) -> dict[str, str]:
    """One chunk. Another one than the next is refused with the span that is expected."""
    video = _session(state, ask, page)
    chunk = ask.files.get("video_file_chunk")
    if chunk is None:
        raise invalid("video_file_chunk is required")
    data, expected = await chunk.read(), _span(state, video)
    if ask.parameters.get("start_offset") != expected["start_offset"]:
        raise GraphError(6001, "There was a problem uploading your video file", subcode=1363037, data=expected)
    if len(data) != int(expected["end_offset"]) - int(expected["start_offset"]):
        raise GraphError(6001, "There was a problem uploading your video file", subcode=1363045, data=expected)
    video.upload.take(data)
    return _span(state, video)


def _span(state: FacebookState, video: Video) -> dict[str, str]:
    """The bytes that come next, both as text; empty when there are none."""
    size, stored = video.upload.size or 0, video.upload.stored
    return {"start_offset": str(stored), "end_offset": str(min(stored + state.chunk_bytes, size))}


async def _at_once(state: FacebookState, ask: Ask, page: Page) -> dict[str, str]:
    """A whole video in one call, which is published by it."""
    video = _create(state, ask, page, "video")
    source = ask.files.get("source")
    if source is not None:
        data = await source.read()
        video.upload.fetched = PostedMedia(hashlib.sha256(data).hexdigest(), len(data), source.content_type)
    else:
        try:
            video.upload.fetched = await fetch(ask.parameters.get("file_url", ""))
        except NotFetched as error:
            raise GraphError(389, f"(#389) Unable to fetch video file from URL: {error}") from error
    _finish(state, ask, video)
    return {"id": video.video_id}


async def _uploaded(state: FacebookState, ask: Ask, kind: str) -> Any:
    """Reels and stories: `start` names the upload's address, `finish` publishes."""
    page = _writing(state, ask)
    match ask.parameters.get("upload_phase", "").lower():
        case "start":
            video = _create(state, ask, page, kind)
            url = f"{state.base_url}/video-upload/{VERSION}/{video.video_id}"
            return {"video_id": video.video_id, "upload_url": url}
        case "finish":
            return _finish_uploaded(state, ask, page, kind)
        case _:
            raise invalid("Param upload_phase must be one of start, finish")


def _finish_uploaded(state: FacebookState, ask: Ask, page: Page, kind: str) -> dict[str, Any]:
    video = state.videos.get(ask.parameters.get("video_id", ""))
    if video is None or video.page_id != page.page_id or video.kind != kind:
        raise invalid("video_id is not a video that was started here")
    if not video.upload.complete:
        raise GraphError(6000, "There was a problem uploading your video file", subcode=1363031)
    if kind == "reel" and ask.parameters.get("video_state") != "PUBLISHED":
        raise invalid("The sandbox takes PUBLISHED as video_state only")
    if kind == "reel" and _reels_today(state, page) >= REELS_A_DAY:
        raise GraphError(613, "(#613) The Page has reached its reels for the day")
    _finish(state, ask, video)
    return {"success": True} | ({"post_id": video.post_id} if kind == "story" else {})


def _finish(state: FacebookState, ask: Ask, video: Video) -> None:
    """Start processing. The post is there from the end of it on, unless the video cannot be used."""
    if video.finished_at is not None:
        raise GraphError(100, "(#100) The video was already published", subcode=1363048)
    video.finished_at = state.clock.now()
    video.text, video.title = ask.parameters.get("description", ""), ask.parameters.get("title", "")
    if "processing_error" in video.outcome:
        return
    page = state.pages[video.page_id]
    settings = {"kind": video.kind, "title": video.title, "video_id": video.video_id}
    written = Post(
        platform=NAME,
        account_id=page.page_id,
        post_id=f"{page.page_id}_{video.post_id}",
        text=video.text,
        media=(video.upload.posted(),),
        settings={name: value for name, value in settings.items() if value} | {"comments": []},
        posted_at=done_at(state, video),
    )
    state.truth.add(written)
    tell_listeners(state, video.client_id, page, written)


def done_at(state: FacebookState, video: Video) -> datetime:
    """When processing ends."""
    assert video.finished_at is not None
    return video.finished_at + timedelta(seconds=state.tuning.processing_seconds)


def video_document(state: FacebookState, video: Video) -> dict[str, Any]:
    """A video as its fields tell it; the id of its post comes a while after the post."""
    now, post_id, published = state.clock.now(), None, False
    if video.finished_at is not None and "processing_error" not in video.outcome:
        published = done_at(state, video) <= now
        told_at = done_at(state, video) + timedelta(seconds=state.tuning.moderation_seconds)
        post_id = video.post_id if told_at <= now and not video.outcome.get("id_never_told") else None
    return {
        "id": video.video_id,
        "status": _status(state, video),
        "post_id": post_id,
        "permalink_url": f"/reel/{video.video_id}/" if published else None,
        "published": published,
        "title": video.title or None,
        "description": video.text or None,
        "created_time": None,
    }


def _status(state: FacebookState, video: Video) -> dict[str, Any]:
    uploading = {
        "status": "complete" if video.upload.complete else "in_progress",
        "bytes_transfered": video.upload.stored,
    }
    processing: dict[str, Any] = {"status": "not_started"}
    publishing: dict[str, Any] = {"status": "not_started"}
    word = "upload_complete" if video.upload.complete else "uploading"
    if video.finished_at is not None:
        done = done_at(state, video) <= state.clock.now()
        word, processing["status"] = ("ready", "complete") if done else ("processing", "in_progress")
        publishing["status"] = "complete" if done else "not_started"
        if done and "processing_error" in video.outcome:
            word, processing["status"] = "error", "error"
            processing["errors"] = [video.outcome["processing_error"]]
            publishing["status"] = "not_started"
        elif done:
            publishing |= {"publish_status": "published"}
    return {
        "video_status": word,
        "uploading_phase": uploading,
        "processing_phase": processing,
        "publishing_phase": publishing,
    }


def _create(state: FacebookState, ask: Ask, page: Page, kind: str) -> Video:
    video = Video(
        video_id=new_id(),
        page_id=page.page_id,
        kind=kind,
        client_id=ask.token.client_id,
        session_id=new_id(),
        created_at=state.clock.now(),
        upload=Upload(),
        post_id=new_id(),
        outcome=state.planned_outcomes.pop(0) if state.planned_outcomes else {},
    )
    state.videos[video.video_id] = video
    return video


def _session(state: FacebookState, ask: Ask, page: Page) -> Video:
    wanted = ask.parameters.get("upload_session_id", "")
    for video in state.videos.values():
        if video.session_id == wanted and video.page_id == page.page_id:
            return video
    raise GraphError(100, "(#100) The upload session does not exist", subcode=1363030)


def _writing(state: FacebookState, ask: Ask) -> Page:
    page = state.page_of(ask)
    ask.need("pages_manage_posts")
    return page


def _reels_today(state: FacebookState, page: Page) -> int:
    since = state.clock.now() - timedelta(days=1)
    return sum(
        video.finished_at is not None and video.finished_at > since
        for video in state.videos.values()
        if video.kind == "reel" and video.page_id == page.page_id
    )
