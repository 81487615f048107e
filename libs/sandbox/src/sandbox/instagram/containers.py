"""The imitated containers: checked, fetched, processed for a while, published once, gone after a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.fetching import NotFetched, fetch
from sandbox.instagram.asked import about_of, caption_of, kind_of
from sandbox.instagram.state import (
    NAME,
    PUBLISH,
    WINDOW,
    Account,
    Container,
    InstagramState,
    new_id,
)
from sandbox.meta.answers import GraphError, invalid
from sandbox.meta.graph import Ask
from sandbox.truth import Post, PostedMedia

CONTAINERS_MAX = 400
IMAGE_BYTES_MAX = 8 * 1024**2
VIDEO_BYTES_MAX = {"REELS": 300 * 1024**2, "STORIES": 100 * 1024**2, "CHILD": 100 * 1024**2}
VIDEO_TYPES = ("video/mp4", "video/quicktime")

STATUSES = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been successfully published.",
    "EXPIRED": "Expired: The container was not published within 24 hours and has expired.",
}


def add_edges(state: InstagramState) -> None:
    """Edges on the way to a post."""
    graph = state.graph
    graph.on("POST", "{node}/media", lambda ask: _create(state, ask))
    # Documented is the first; Meta's own client for Instagram Login calls the second.
    for name in ("media_publish", "mediapublish"):
        graph.on("POST", f"{{node}}/{name}", lambda ask: _publish(state, ask))
    graph.on("GET", "{node}/content_publishing_limit", lambda ask: _limit(state, ask))


async def _create(state: InstagramState, ask: Ask) -> dict[str, str]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    now = state.clock.now()
    recent = [each for each in state.containers.values() if each.account_id == account.user_id]
    if sum(now - each.created_at < WINDOW for each in recent) >= CONTAINERS_MAX:
        raise GraphError(4, "(#4) Too many containers were created within 24 hours")
    kind = kind_of(ask)
    about, caption = about_of(ask, kind), caption_of(ask)
    planned = state.planned_outcomes.pop(0) if state.planned_outcomes else {}
    media, error = await _media(state, ask, kind, account)
    slow = planned.get("stuck") or any(item.content_type in VIDEO_TYPES for item in media)
    seconds = 10**7 if planned.get("stuck") else state.tuning.processing_seconds
    if "cover_url" in ask.parameters:
        about["cover"] = (await _fetched(ask.parameters["cover_url"], "image/jpeg")).sha256
    container = Container(
        container_id=new_id(),
        account_id=account.user_id,
        kind=kind,
        media=media,
        caption=caption,
        about=about,
        created_at=now,
        ready_at=now + timedelta(seconds=seconds if slow else 0),
        error=planned.get("error") or error,
    )
    state.containers[container.container_id] = container
    return {"id": container.container_id}


async def _media(
    state: InstagramState, ask: Ask, kind: str, account: Account
) -> tuple[tuple[PostedMedia, ...], int | None]:
    """The files, and the number with which their processing will fail."""
    if kind == "CAROUSEL":
        return _items(state, ask, account), None
    if "video_url" in ask.parameters and kind != "IMAGE":
        video = await _fetched(ask.parameters["video_url"])
        unusable = video.content_type not in VIDEO_TYPES or not 0 < video.size_bytes <= VIDEO_BYTES_MAX[kind]
        return (video,), 2207026 if unusable else None
    if "image_url" not in ask.parameters or kind == "REELS":
        raise invalid("The parameter image_url or video_url is required")
    image = await _fetched(ask.parameters["image_url"], "image/jpeg")
    return (replace(image, alt_text=ask.parameters.get("alt_text", "")),), None


def _items(state: InstagramState, ask: Ask, account: Account) -> tuple[PostedMedia, ...]:
    listed = ask.json("children")
    ids = [str(each) for each in listed] if isinstance(listed, list) else ask.parameters.get("children", "").split(",")
    if not 2 <= len(ids) <= 10:
        raise GraphError(100, "(#100) The carousel needs 2 to 10 items", subcode=2207028)
    children = [state.containers.get(each) for each in ids]
    if any(child is None or child.account_id != account.user_id or child.kind != "CHILD" for child in children):
        raise GraphError(24, "The media of the carousel cannot be found", subcode=2207006)
    found = [child for child in children if child is not None]
    if any(child.status_at(state.clock.now()) != "FINISHED" for child in found):
        raise GraphError(9007, "The media of the carousel is not ready", subcode=2207027)
    return tuple(item for child in found for item in child.media)


async def _fetched(address: str, content_type: str | None = None) -> PostedMedia:
    """A file, which as an image is looked at once."""
    try:
        file = await fetch(address)
    except NotFetched as error:
        message = "The media could not be fetched from this URI"
        raise GraphError(9004, f"Only photo or video can be accepted as media type: {error}", subcode=2207052,
                         user_title="Media download has failed.", user_message=message) from error  # fmt: skip
    if content_type is None:
        return file
    if file.content_type != content_type:
        raise GraphError(36001, "The image format is not supported", subcode=2207005)
    if file.size_bytes > IMAGE_BYTES_MAX:
        raise GraphError(36000, "The image is too large", subcode=2207004)
    return file


async def _publish(state: InstagramState, ask: Ask) -> dict[str, str]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    container = state.containers.get(ask.parameters.get("creation_id", ""))
    if container is None or container.account_id != account.user_id or container.kind == "CHILD":
        raise _not_found()
    match container.status_at(state.clock.now()):
        case "IN_PROGRESS":
            raise GraphError(9007, "Media ID is not available", subcode=2207027, user_title="Media is not ready")
        case "EXPIRED":
            raise GraphError(24, "The container has expired", subcode=2207008)
        case "PUBLISHED" | "ERROR":
            # What a second call is answered is documented nowhere; that it publishes nothing is certain.
            raise _not_found()
    if used_quota(state, account) >= account.quota_total:
        raise GraphError(9, "(#9) The user has reached the maximum of posts", subcode=2207042)
    container.published = True
    post = Post(
        platform=NAME,
        account_id=account.user_id,
        post_id=new_id(),
        text=container.caption,
        media=container.media,
        settings={"kind": container.kind, "comments": []} | dict(container.about),
        posted_at=state.clock.now(),
    )
    state.truth.add(post)
    return {"id": post.post_id}


async def _limit(state: InstagramState, ask: Ask) -> dict[str, Any]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    config = {"quota_total": account.quota_total, "quota_duration": int(WINDOW.total_seconds())}
    wanted = ask.parameters.get("fields", "quota_usage").split(",")
    told = {"quota_usage": used_quota(state, account), "config": config}
    return {"data": [{name: value for name, value in told.items() if name in wanted}]}


def used_quota(state: InstagramState, account: Account) -> int:
    since = state.clock.now() - WINDOW
    return sum(post.posted_at > since for post in state.truth.posts(NAME, account.user_id))


def container_document(state: InstagramState, container: Container) -> dict[str, Any]:
    status = container.status_at(state.clock.now())
    text = STATUSES.get(status, f"Error: Media upload has failed with error code {container.error}")
    return {"id": container.container_id, "status_code": status, "status": text}


def _not_found() -> GraphError:
    return GraphError(24, "The requested resource does not exist", subcode=2207006, user_title="Media Not Found")
