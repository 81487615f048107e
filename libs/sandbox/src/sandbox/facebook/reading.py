"""What can be read of an imitated Page: itself, its posts in lists and singly, comments, stories, counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.facebook.oauth import page_document
from sandbox.facebook.posting import permalink_of
from sandbox.facebook.state import NAME, FacebookState
from sandbox.facebook.videos import video_document
from sandbox.insights import audience, share_of
from sandbox.meta.answers import AnyRequest, GraphError, absent, invalid, time_text
from sandbox.meta.fields import Field, parse_fields, select
from sandbox.meta.graph import Ask
from sandbox.meta.paging import paged
from sandbox.shown import permalink
from sandbox.truth import Post

METRICS = (
    "post_media_view",
    "post_total_media_view_unique",
    "post_clicks",
    "post_clicks_by_type",
    "post_reactions_by_type_total",
    "post_reactions_like_total",
    "post_video_views",
    "post_video_view_time",
)


def add_edges(state: FacebookState) -> None:
    """Edges that read."""
    graph = state.graph
    graph.on("GET", "{node}", lambda ask: _node(state, ask))
    for name in ("published_posts", "feed", "posts"):
        graph.on("GET", f"{{node}}/{name}", lambda ask: _posts(state, ask))
    graph.on("GET", "{node}/stories", lambda ask: _stories(state, ask))
    graph.on("GET", "{node}/video_reels", lambda ask: _reels(state, ask))
    graph.on("GET", "{node}/comments", lambda ask: _comments(state, ask))
    graph.on("GET", "{node}/insights", lambda ask: _insights(state, ask))
    graph.on("GET", "{node}/subscribed_apps", lambda ask: _subscribed(state, ask))
    graph.on("POST", "{node}/subscribed_apps", lambda ask: _subscribe(state, ask))
    graph.on("DELETE", "{node}/subscribed_apps", lambda ask: _unsubscribe(state, ask))


def create_pages(state: FacebookState) -> list[HTTPRouteHandler]:
    """What a person sees at a permalink."""

    @get("/permalink.php", sync_to_thread=False)
    def show_post(request: AnyRequest) -> Response[str]:
        query = request.query_params
        return _shown(state, f"{query.get('id')}_{query.get('story_fbid')}")

    @get("/reel/{video_id:str}", sync_to_thread=False)
    def show_reel(request: AnyRequest) -> Response[str]:
        video = state.videos.get(str(request.path_params["video_id"]))
        return _shown(state, f"{video.page_id}_{video.post_id}" if video else "")

    return [show_post, show_reel]


def _shown(state: FacebookState, post_id: str) -> Response[str]:
    page = state.pages.get(post_id.partition("_")[0])
    return permalink(state.truth, NAME, post_id, author=page.name if page else "")


async def _node(state: FacebookState, ask: Ask) -> Any:
    """Whatever the id names, as far as the token may see it."""
    wanted = parse_fields(ask.parameters.get("fields", "id"))
    person, page = state.people.get(ask.node), state.pages.get(ask.node)
    if person is not None and person.user_id == ask.token.user_id:
        known = {"id": person.user_id, "name": person.name, "picture": None, "email": None}
        return select(known, wanted, node="User")
    if page is not None and page.user_id == ask.token.user_id:
        return select(page_document(state, page), wanted, node="Page")
    video = state.videos.get(ask.node)
    if video is not None and video.page_id == ask.token.account_id:
        return select(video_document(state, video), wanted, node="Video")
    photo = state.photos.get(ask.node)
    if photo is not None and photo.page_id == ask.token.account_id:
        return {"id": photo.photo_id}
    post = state.post_of(ask.node)
    if post is None or post.account_id != ask.token.account_id:
        raise absent(ask.node)
    ask.need("pages_read_engagement")
    return select(_post_document(state, post, wanted), wanted, node="PagePost")


async def _posts(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="ANALYZE")
    ask.need("pages_read_engagement")
    wanted = parse_fields(ask.parameters.get("fields", "id,message,created_time"))
    since = _seconds(ask.parameters.get("since"))
    posts = [
        select(_post_document(state, post, wanted), wanted, node="PagePost")
        for post in state.listed(page.page_id)
        if post.settings["kind"] != "story" and int(post.posted_at.timestamp()) >= since
    ]
    return _paged(ask, posts)


def _post_document(state: FacebookState, post: Post, wanted: Mapping[str, Field]) -> dict[str, Any]:
    reached = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    shares = share_of(reached, post.post_id, "share", permille=5)
    reactions = share_of(reached, post.post_id, "like", permille=60)
    comments = len(post.settings["comments"]) + share_of(reached, post.post_id, "comment", permille=8)
    return {
        "id": post.post_id,
        "message": post.text or None,
        "created_time": time_text(post.posted_at),
        "permalink_url": permalink_of(state, post),
        "is_published": True,
        # Left out while there are none.
        "shares": {"count": shares} if shares else None,
        "comments": _summed(wanted.get("comments"), comments),
        "reactions": _summed(wanted.get("reactions"), reactions),
        "attachments": _attachments(state, post),
        "from": {"id": post.account_id, "name": state.pages[post.account_id].name},
    }


def _summed(wanted: Field | None, count: int) -> dict[str, Any]:
    told: dict[str, Any] = {"data": []}
    if wanted is not None and wanted.arguments.get("summary", "").lower() in ("true", "1", "total_count"):
        told["summary"] = {"total_count": count}
    return told


def _attachments(state: FacebookState, post: Post) -> dict[str, Any] | None:
    if post.settings.get("video_id"):
        target = {"id": post.settings["video_id"], "url": f"{state.base_url}/reel/{post.settings['video_id']}/"}
        return {"data": [{"media_type": "video", "target": target}]}
    if post.settings.get("link"):
        return {"data": [{"media_type": "link", "target": {"url": post.settings["link"]}}]}
    photos = [photo for photo in state.photos.values() if photo.post_id == post.post_id]
    items = [{"media_type": "photo", "target": {"id": photo.photo_id, "url": state.base_url}} for photo in photos]
    if len(items) > 1:
        return {"data": [{"media_type": "album", "target": {"id": "0"}, "subattachments": {"data": items}}]}
    return {"data": items} if items else None


async def _stories(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="ANALYZE")
    since = _seconds(ask.parameters.get("since"))
    stories = [
        {
            "post_id": post.post_id.partition("_")[2],
            "status": "published",
            "creation_time": str(int(post.posted_at.timestamp())),
            "media_type": "video" if post.settings.get("video_id") else "photo",
            "media_id": post.settings.get("video_id") or post.settings.get("media_id"),
            "url": permalink_of(state, post),
        }
        for post in state.listed(page.page_id)
        if post.settings["kind"] == "story" and int(post.posted_at.timestamp()) >= since
    ]
    return _paged(ask, stories)


async def _reels(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="ANALYZE")
    wanted = parse_fields(ask.parameters.get("fields", "id,description"))
    videos = [video for video in state.videos.values() if video.kind == "reel" and video.page_id == page.page_id]
    shown = [video_document(state, video) for video in reversed(videos) if video.finished_at is not None]
    return _paged(ask, [select(video, wanted, node="Video") for video in shown])


async def _comments(state: FacebookState, ask: Ask) -> Any:
    post = state.post_of(ask.node)
    if post is None or post.account_id != ask.token.account_id:
        raise absent(ask.node)
    ask.need("pages_read_user_content")
    wanted = parse_fields(ask.parameters.get("fields", "id,message,from,created_time"))
    documents = [
        {
            "id": comment.comment_id,
            "message": comment.message,
            "from": {"id": comment.page_id, "name": state.pages[comment.page_id].name},
            "created_time": time_text(comment.created_at),
        }
        for comment in state.comments
        if comment.post_id == post.post_id
    ]
    return _paged(ask, [select(each, wanted, node="Comment") for each in documents])


async def _insights(state: FacebookState, ask: Ask) -> Any:
    """One metric that is not known fails the whole call."""
    ask.need("read_insights")
    post = state.post_of(ask.node)
    if post is None or post.account_id != ask.token.account_id:
        raise absent(ask.node)
    listed = ask.json("metric")
    asked = (
        listed if isinstance(listed, list) else [name for name in ask.parameters.get("metric", "").split(",") if name]
    )
    if not asked or any(name not in METRICS or name in state.withdrawn_metrics for name in asked):
        raise invalid("The value must be a valid insights metric")
    values = _values(state, post)
    data = [
        {
            "name": name,
            "period": "lifetime",
            "values": [{"value": values[name]}],
            "title": name,
            "description": name,
            "id": f"{post.post_id}/insights/{name}/lifetime",
        }
        for name in asked
    ]
    return {"data": data, "paging": {"previous": state.base_url, "next": state.base_url}}


def _values(state: FacebookState, post: Post) -> dict[str, Any]:
    reached = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    views, likes = reached * 5 // 4, share_of(reached, post.post_id, "like", permille=60)
    clicks, video = share_of(reached, post.post_id, "click", permille=20), bool(post.settings.get("video_id"))
    return {
        "post_media_view": views,
        "post_total_media_view_unique": reached,
        "post_clicks": clicks,
        "post_clicks_by_type": {"link clicks": clicks} if clicks else {},
        "post_reactions_by_type_total": {"like": likes} if likes else {},
        "post_reactions_like_total": likes,
        "post_video_views": views if video else 0,
        "post_video_view_time": views * 4_000 if video else 0,
    }


async def _subscribed(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="MANAGE")
    return {"data": [{"id": client, "subscribed_fields": fields} for client, fields in page.subscribed.items()]}


async def _subscribe(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="MANAGE")
    ask.need("pages_manage_metadata")
    fields = ask.parameters.get("subscribed_fields", "")
    listed = ask.json("subscribed_fields")
    wanted = listed if isinstance(listed, list) else [name for name in fields.split(",") if name]
    if not wanted:
        raise invalid("Param subscribed_fields is required")
    page.subscribed[ask.token.client_id] = wanted
    return {"success": True}


async def _unsubscribe(state: FacebookState, ask: Ask) -> Any:
    page = state.page_of(ask, task="MANAGE")
    page.subscribed.pop(ask.token.client_id, None)
    return {"success": True}


def _paged(ask: Ask, items: list[Any]) -> dict[str, Any]:
    address = str(ask.request.url.with_replacements(query=""))
    return paged(items, ask.parameters, address=address, token=ask.token.value)


def _seconds(text: str | None) -> int:
    """Unix seconds, or a date."""
    if not text:
        return 0
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise GraphError(100, f"(#100) {text} is not a valid time") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
