"""What can be read of an imitated account: itself, containers, posts and stories, comments, counts."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, draw, share_of
from sandbox.instagram.containers import container_document
from sandbox.instagram.state import (
    BASIC,
    COMMENTS,
    INSIGHTS,
    NAME,
    Account,
    Comment,
    InstagramState,
    new_id,
    permalink_of,
    product_of,
    shortcode_of,
)
from sandbox.meta.answers import AnyRequest, GraphError, invalid, time_text
from sandbox.meta.fields import parse_fields, select
from sandbox.meta.graph import Ask
from sandbox.meta.paging import paged
from sandbox.shown import permalink
from sandbox.truth import Post

_ALL = ("views", "reach", "shares", "total_interactions", "reposts")
_FEED = (*_ALL, "likes", "comments", "saved")
_VISITS = ("follows", "profile_visits", "profile_activity")
_WATCHED = ("ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate")
METRICS = {
    "FEED": (*_FEED, *_VISITS),
    "REELS": (*_FEED, *_WATCHED, "crossposted_views", "facebook_views"),
    "STORY": (*_ALL, *_VISITS, "replies", "navigation", "link_clicks"),
}
VIEWERS_MIN = 5
COMMENT_MAX = 2_200


def add_edges(state: InstagramState) -> None:
    """Edges that read, and those that comment and subscribe."""
    graph = state.graph
    graph.on("GET", "{node}", lambda ask: _node(state, ask))
    graph.on("GET", "{node}/media", lambda ask: _media(state, ask, stories=False))
    graph.on("GET", "{node}/stories", lambda ask: _media(state, ask, stories=True))
    graph.on("GET", "{node}/comments", lambda ask: _comments(state, ask))
    graph.on("POST", "{node}/comments", lambda ask: _comment(state, ask))
    graph.on("GET", "{node}/insights", lambda ask: _insights(state, ask))
    graph.on("GET", "{node}/subscribed_apps", lambda ask: _subscribed(state, ask))
    graph.on("POST", "{node}/subscribed_apps", lambda ask: _subscribe(state, ask))
    graph.on("DELETE", "{node}/subscribed_apps", lambda ask: _unsubscribe(state, ask))


def create_pages(state: InstagramState) -> list[HTTPRouteHandler]:
    """What a person sees at a permalink."""

    @get(["/p/{code:str}", "/reel/{code:str}"], sync_to_thread=False)
    def show_post(request: AnyRequest) -> Response[str]:
        code = str(request.path_params["code"])
        return _shown(state, lambda post: shortcode_of(post) == code)

    @get("/stories/{username:str}/{media_id:str}", sync_to_thread=False)
    def show_story(request: AnyRequest) -> Response[str]:
        media_id = str(request.path_params["media_id"])
        return _shown(state, lambda post: post.post_id == media_id)

    return [show_post, show_story]


def _shown(state: InstagramState, wanted: Any) -> Response[str]:
    found = next((post for post in state.truth.posts(NAME) if wanted(post)), None)
    author = state.accounts[found.account_id].username if found else ""
    return permalink(state.truth, NAME, found.post_id if found else "", author=author)


async def _node(state: InstagramState, ask: Ask) -> Any:
    """Whatever the id names, as far as the token may see it."""
    wanted = parse_fields(ask.parameters.get("fields", "id"))
    ask.need(BASIC)
    if ask.node in state.accounts:
        return select(_account_document(state, state.account_of(ask)), wanted, node="IGUser")
    container = state.containers.get(ask.node)
    if container is not None and container.account_id == ask.token.account_id:
        return select(container_document(state, container), wanted, node="ShadowIGMediaBuilder")
    return select(_medium_document(state, state.medium_of(ask)), wanted, node="IGMedia")


def _account_document(state: InstagramState, account: Account) -> dict[str, Any]:
    return {
        "id": account.person_id,
        "user_id": account.user_id,
        "username": account.username,
        "name": account.name,
        "account_type": account.account_type,
        "profile_picture_url": f"{state.base_url}/picture/{account.username}.jpg",
        "followers_count": draw(account.user_id, "followers") % 5000,
        "follows_count": draw(account.user_id, "follows") % 500,
        "media_count": len(state.media_of(account.user_id)),
        "biography": None,
        "website": None,
    }


async def _media(state: InstagramState, ask: Ask, *, stories: bool) -> Any:
    account = state.account_of(ask)
    ask.need(BASIC)
    wanted = parse_fields(ask.parameters.get("fields", "id"))
    posts = [post for post in state.media_of(account.user_id) if (product_of(post) == "STORY") is stories]
    return _paged(ask, [select(_medium_document(state, post), wanted, node="IGMedia") for post in posts])


def _medium_document(state: InstagramState, post: Post) -> dict[str, Any]:
    values = _values(state, post)
    first, many = post.media[0], len(post.media) > 1
    kind = "VIDEO" if first.content_type.startswith("video/") else "IMAGE"
    return {
        "id": post.post_id,
        "caption": post.text or None,
        "media_type": "CAROUSEL_ALBUM" if many else kind,
        "media_product_type": product_of(post),
        "permalink": permalink_of(state, post),
        "shortcode": shortcode_of(post),
        "timestamp": time_text(post.posted_at),
        "username": state.accounts[post.account_id].username,
        "like_count": values["likes"],
        "comments_count": values["comments"],
        "alt_text": first.alt_text or None,
        "is_comment_enabled": True,
    }


async def _comments(state: InstagramState, ask: Ask) -> Any:
    post = state.medium_of(ask)
    ask.need(COMMENTS)
    wanted = parse_fields(ask.parameters.get("fields", "id,text,timestamp"))
    documents = [
        {
            "id": comment.comment_id,
            "text": comment.text,
            "timestamp": time_text(comment.created_at),
            "username": state.accounts[comment.account_id].username,
        }
        for comment in reversed(state.comments)
        if comment.media_id == post.post_id
    ]
    return _paged(ask, [select(each, wanted, node="IGComment") for each in documents])


async def _comment(state: InstagramState, ask: Ask) -> dict[str, str]:
    post, message = state.medium_of(ask), ask.parameters.get("message", "")
    ask.need(COMMENTS)
    if product_of(post) == "STORY" or not message.strip() or len(message) > COMMENT_MAX:
        raise invalid("The comment is empty, too long, or below a story")
    comment = Comment(new_id(), post.post_id, ask.token.account_id, message, state.clock.now())
    state.comments.append(comment)
    post.settings["comments"].append(message)
    return {"id": comment.comment_id}


async def _insights(state: InstagramState, ask: Ask) -> Any:
    """One metric that the product does not have fails the whole question."""
    ask.need(INSIGHTS)
    post = state.medium_of(ask)
    product = product_of(post)
    known = [name for name in METRICS[product] if name not in state.withdrawn_metrics]
    asked = _listed(ask, "metric")
    for position, name in enumerate(asked):
        if name not in known:
            raise invalid(f"metric[{position}] must be one of the following values: {', '.join(known)}")
    values = _values(state, post)
    if product == "STORY" and values["reach"] < VIEWERS_MIN:
        raise GraphError(10, "(#10) Not enough viewers for the media to show insights")
    data = [
        {
            "name": name,
            "period": "lifetime",
            "values": [{"value": values.get(name, 0)}],
            "title": name,
            "description": name,
            "id": f"{post.post_id}/insights/{name}/lifetime",
        }
        for name in asked
    ]
    return {"data": data}


def _values(state: InstagramState, post: Post) -> dict[str, Any]:
    reached = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    views = reached * 5 // 4
    likes = share_of(reached, post.post_id, "like", permille=60)
    comments = len(post.settings["comments"]) + share_of(reached, post.post_id, "comment", permille=8)
    shares, saved = (share_of(reached, post.post_id, kind, permille=6) for kind in ("share", "save"))
    return {
        "views": views,
        "reach": reached,
        "likes": likes,
        "comments": comments,
        "shares": shares,
        "saved": saved,
        "total_interactions": likes + comments + shares + saved,
        "ig_reels_avg_watch_time": 4_000,
        "ig_reels_video_view_total_time": views * 4_000,
        "link_clicks": share_of(reached, post.post_id, "click", permille=20),
    }


async def _subscribed(state: InstagramState, ask: Ask) -> Any:
    account = state.account_of(ask)
    return {"data": [{"id": client, "subscribed_fields": fields} for client, fields in account.subscribed.items()]}


async def _subscribe(state: InstagramState, ask: Ask) -> Any:
    account = state.account_of(ask)
    wanted = _listed(ask, "subscribed_fields")
    if not wanted:
        raise invalid("Param subscribed_fields is required")
    account.subscribed[ask.token.client_id] = wanted
    return {"success": True}


async def _unsubscribe(state: InstagramState, ask: Ask) -> Any:
    state.account_of(ask).subscribed.pop(ask.token.client_id, None)
    return {"success": True}


def _listed(ask: Ask, name: str) -> list[str]:
    """Names as a JSON list, or with commas between them."""
    value = ask.json(name)
    return value if isinstance(value, list) else [word for word in ask.parameters.get(name, "").split(",") if word]


def _paged(ask: Ask, items: list[Any]) -> dict[str, Any]:
    address = str(ask.request.url.with_replacements(query=""))
    return paged(items, ask.parameters, address=address, token=ask.token.value)
