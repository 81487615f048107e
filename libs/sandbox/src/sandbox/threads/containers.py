"""The imitated containers: checked, fetched, processed for a while, shown once, gone after a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.fetching import NotFetched, fetch
from sandbox.meta.answers import GraphError, invalid, time_text
from sandbox.meta.graph import Ask
from sandbox.threads.asked import about_of, kind_of, text_of
from sandbox.threads.state import (
    MANAGE_REPLIES,
    NAME,
    PUBLISH,
    WINDOW,
    Account,
    Container,
    ThreadsState,
    new_id,
    permalink_of,
)
from sandbox.truth import Post, PostedMedia

CAROUSEL_MIN, CAROUSEL_MAX = 2, 20
IMAGE_TYPES = ("image/jpeg", "image/png")
IMAGE_BYTES_MAX = 8 * 1024**2
VIDEO_TYPES = ("video/mp4", "video/quicktime")
VIDEO_BYTES_MAX = 1024**3
FOREVER_SECONDS = 10.0**7


def add_edges(state: ThreadsState) -> None:
    """Edges on the way to a post."""
    graph = state.graph
    graph.on("POST", "{node}/threads", lambda ask: _create(state, ask))
    graph.on("POST", "{node}/threads_publish", lambda ask: _publish(state, ask))
    graph.on("GET", "{node}/threads_publishing_limit", lambda ask: _limit(state, ask))


async def _create(state: ThreadsState, ask: Ask) -> dict[str, str]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    kind, about = kind_of(ask), about_of(ask)
    text = text_of(ask, kind)
    _check_reply(state, ask)
    planned = state.planned_outcomes.pop(0) if state.planned_outcomes else {}
    media, error = await _media(state, ask, kind, account)
    now = state.clock.now()
    slow_seconds = state.tuning.processing_seconds if kind == "VIDEO" else 0.0
    seconds = FOREVER_SECONDS if planned.get("stuck") else float(planned.get("seconds", slow_seconds))
    container = Container(
        container_id=new_id(),
        account_id=account.user_id,
        media_type=kind,
        is_item=ask.flag("is_carousel_item", otherwise=False),
        media=media,
        text=text,
        about=about,
        created_at=now,
        ready_at=now + timedelta(seconds=seconds),
        error=planned.get("error_message") or error,
        unseen=int(planned.get("unseen", 0)),
    )
    state.containers[container.container_id] = container
    if ask.flag("auto_publish_text", otherwise=False):
        return {"id": _show(state, ask, account, container).post_id}
    return {"id": container.container_id}


def _check_reply(state: ThreadsState, ask: Ask) -> None:
    """Who answers names a post, not the container it was made of."""
    for name in ("reply_to_id", "quote_post_id"):
        if name in ask.parameters and state.find_post(ask.parameters[name]) is None:
            raise _unseen(ask.parameters[name])
    if "reply_to_id" in ask.parameters:
        ask.need(MANAGE_REPLIES)


async def _media(
    state: ThreadsState, ask: Ask, kind: str, account: Account
) -> tuple[tuple[PostedMedia, ...], str | None]:
    """The files, and the word with which their processing will fail."""
    alt_text = ask.parameters.get("alt_text", "")
    match kind:
        case "CAROUSEL":
            return _items(state, ask, account), None
        case "IMAGE":
            return (replace(await _image(ask), alt_text=alt_text),), None
        case "VIDEO":
            try:
                video = await fetch(_address(ask, "video_url"))
            except NotFetched:
                return (), "FAILED_DOWNLOADING_VIDEO"
            unusable = video.content_type not in VIDEO_TYPES or not 0 < video.size_bytes <= VIDEO_BYTES_MAX
            return (replace(video, alt_text=alt_text),), "FAILED_PROCESSING_VIDEO" if unusable else None
        case _:
            return (), None


async def _image(ask: Ask) -> PostedMedia:
    """An image is fetched while the caller waits."""
    try:
        image = await fetch(_address(ask, "image_url"))
    except NotFetched as error:
        message = "The media could not be fetched from this URI"
        raise GraphError(9004, f"{message}: {error}", subcode=2207052, user_message=message) from error
    if image.content_type not in IMAGE_TYPES or not 0 < image.size_bytes <= IMAGE_BYTES_MAX:
        raise GraphError(100, "The image is of a type or size that is not supported", kind="THApiException")
    return image


def _address(ask: Ask, name: str) -> str:
    if name not in ask.parameters:
        raise invalid(f"Param {name} is required")
    return ask.parameters[name]


def _items(state: ThreadsState, ask: Ask, account: Account) -> tuple[PostedMedia, ...]:
    listed = ask.json("children")
    ids = [str(each) for each in listed] if isinstance(listed, list) else ask.parameters.get("children", "").split(",")
    if not CAROUSEL_MIN <= len(ids) <= CAROUSEL_MAX:
        raise invalid("Param children must name 2 to 20 containers")
    found: list[PostedMedia] = []
    for each in ids:
        item = state.containers.get(each)
        if item is None or item.account_id != account.user_id or not item.is_item:
            raise _unseen(each)
        if item.status_at(state.clock.now()) != "FINISHED":
            raise _unseen(each)
        found += item.media
    return tuple(found)


async def _publish(state: ThreadsState, ask: Ask) -> dict[str, str]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    creation_id = ask.parameters.get("creation_id", "")
    container = state.containers.get(creation_id)
    if container is None or container.account_id != account.user_id or container.is_item:
        raise _unseen(creation_id)
    if container.post is not None:
        # What a second call is answered is documented nowhere; that it shows nothing twice is certain.
        container.post.writes += 1
        raise _unseen(creation_id)
    if container.status_at(state.clock.now()) != "FINISHED":
        raise _unseen(creation_id)
    if container.unseen > 0:
        container.unseen -= 1
        raise _unseen(creation_id)
    return {"id": _show(state, ask, account, container).post_id}


def _show(state: ThreadsState, ask: Ask, account: Account, container: Container) -> Post:
    reply = "reply_to_id" in container.about
    what, most = ("replies", account.replies_max) if reply else ("posts", account.posts_max)
    if state.used(account, what) >= most:
        raise GraphError(613, "(#613) Calls to this api have exceeded the rate limit.")
    account.used[what].append(state.clock.now())
    post = Post(
        platform=NAME,
        account_id=account.user_id,
        post_id=new_id(),
        text=container.text,
        media=container.media,
        settings={"media_type": container.media_type} | dict(container.about),
        posted_at=state.clock.now(),
    )
    container.post = post
    state.truth.add(post)
    _tell(state, ask, account, post)
    return post


def _tell(state: ThreadsState, ask: Ask, account: Account, post: Post) -> None:
    value = {
        "id": post.post_id,
        "media_type": kind_shown(post),
        "permalink": permalink_of(state, post),
        "timestamp": time_text(post.posted_at),
        "username": account.username,
    }
    tell(state, ask, "interaction", "publish", value)


def tell(state: ThreadsState, ask: Ask, topic: str, field: str, value: dict[str, Any]) -> None:
    """A webhook in Threads' own envelope."""
    client = state.clients[ask.token.client_id]
    document = {
        "app_id": client.client_id,
        "topic": topic,
        "target_id": ask.token.account_id,
        "time": int(state.clock.now().timestamp()),
        "subscription_id": "234567",
        "has_uid_field": False,
        "values": {"value": value, "field": field},
    }
    state.webhooks.tell(client, document)


async def _limit(state: ThreadsState, ask: Ask) -> dict[str, Any]:
    account = state.account_of(ask)
    ask.need(PUBLISH)
    wanted = ask.parameters.get("fields", "quota_usage").split(",")
    if any(name.startswith("reply") for name in wanted):
        ask.need(MANAGE_REPLIES)
    told: dict[str, Any] = {}
    for prefix, what, most in (
        ("", "posts", account.posts_max),
        ("reply_", "replies", account.replies_max),
        ("delete_", "deletes", account.deletes_max),
    ):
        told[f"{prefix}quota_usage"] = state.used(account, what)
        told[f"{prefix}config"] = {"quota_total": most, "quota_duration": int(WINDOW.total_seconds())}
    return {"data": [{name: value for name, value in told.items() if name in wanted}]}


def container_document(state: ThreadsState, container: Container) -> dict[str, Any]:
    status = container.status_at(state.clock.now())
    return {
        "id": container.container_id,
        "status": status,
        "error_message": container.error if status == "ERROR" else None,
    }


def kind_shown(post: Post) -> str:
    """What comes in by one name goes out by another."""
    kind = str(post.settings["media_type"])
    return {"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}.get(kind, kind)


def _unseen(container_id: str) -> GraphError:
    return GraphError(
        24,
        "The requested resource does not exist",
        subcode=4279009,
        transient=False,
        user_title="Media Not Found",
        user_message=f"The media with id {container_id} cannot be found.",
    )
