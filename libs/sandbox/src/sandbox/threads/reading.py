"""What can be read of an imitated account: itself, its containers, posts and replies, their counts; and deletion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, share_of
from sandbox.meta.answers import AnyRequest, GraphError, invalid, time_text
from sandbox.meta.fields import parse_fields, select
from sandbox.meta.graph import Ask
from sandbox.meta.paging import paged
from sandbox.shown import permalink
from sandbox.threads.containers import container_document, kind_shown, tell
from sandbox.threads.state import (
    BASIC,
    DELETE,
    INSIGHTS,
    NAME,
    READ_REPLIES,
    Account,
    ThreadsState,
    permalink_of,
    shortcode_of,
)
from sandbox.truth import Post

METRICS = ("views", "likes", "replies", "reposts", "quotes", "shares")


def add_edges(state: ThreadsState) -> None:
    """Edges of what is there."""
    graph = state.graph
    graph.on("GET", "{node}", lambda ask: _node(state, ask))
    graph.on("DELETE", "{node}", lambda ask: _delete(state, ask))
    graph.on("GET", "{node}/threads", lambda ask: _listing(state, ask, replies=False))
    graph.on("GET", "{node}/replies", lambda ask: _listing(state, ask, replies=True))
    graph.on("GET", "{node}/insights", lambda ask: _insights(state, ask))


def create_pages(state: ThreadsState) -> list[HTTPRouteHandler]:
    """What a person sees at a permalink."""

    @get("/t/{code:str}", sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        code = str(request.path_params["code"])
        found = next((post for post in state.truth.posts(NAME) if shortcode_of(post) == code), None)
        author = state.accounts[found.account_id].username if found else ""
        return permalink(state.truth, NAME, found.post_id if found else "", author=author)

    return [show]


async def _node(state: ThreadsState, ask: Ask) -> Any:
    """Whatever the id names, as far as the token may see it."""
    wanted = parse_fields(ask.parameters.get("fields", "id"))
    ask.need(BASIC)
    if ask.node in state.accounts:
        return select(_account_document(state, state.account_of(ask)), wanted, node="ThreadsUser")
    container = state.containers.get(ask.node)
    if container is not None and container.account_id == ask.token.account_id:
        return select(container_document(state, container), wanted, node="ThreadsMediaContainer")
    post = state.own_post(ask)
    if "status" in wanted:
        raise GraphError(100, "Tried accessing nonexisting field (status)", kind="THApiException")
    return select(_post_document(state, post), wanted, node="ThreadsMedia")


def _account_document(state: ThreadsState, account: Account) -> dict[str, Any]:
    return {
        "id": account.user_id,
        "username": account.username,
        "name": account.name,
        "threads_profile_picture_url": f"{state.base_url}/picture/{account.username}.jpg",
        "threads_biography": "",
        "is_verified": False,
    }


def _post_document(state: ThreadsState, post: Post) -> dict[str, Any]:
    answered, about = post.settings.get("reply_to_id"), post.settings
    return {
        "id": post.post_id,
        "media_product_type": "THREADS",
        "media_type": kind_shown(post),
        "permalink": permalink_of(state, post),
        "shortcode": shortcode_of(post),
        "owner": {"id": post.account_id},
        "username": state.accounts[post.account_id].username,
        "text": post.text or None,
        "timestamp": time_text(post.posted_at),
        "alt_text": (post.media[0].alt_text or None) if post.media else None,
        "is_reply": answered is not None,
        "replied_to": {"id": answered} if answered else None,
        "is_quote_post": "quote_post_id" in about,
        "link_attachment_url": about.get("link_attachment"),
        "poll_attachment": about.get("poll_attachment"),
        "topic_tag": about.get("topic_tag"),
    }


async def _listing(state: ThreadsState, ask: Ask, *, replies: bool) -> Any:
    """Newest first, as far as the lists are behind; replies in a list of their own."""
    account = state.account_of(ask)
    if replies:
        ask.need(READ_REPLIES)
    wanted = parse_fields(ask.parameters.get("fields", "id"))
    since, until = (_moment(ask, name) for name in ("since", "until"))
    newest = state.clock.now() - timedelta(seconds=state.listing_lag_seconds)
    posts = [
        post
        for post in reversed(state.truth.posts(NAME, account.user_id))
        if ("reply_to_id" in post.settings) is replies
        and (since is None or post.posted_at >= since)
        and post.posted_at <= min(until or newest, newest)
    ]
    documents = [select(_post_document(state, post), wanted, node="ThreadsMedia") for post in posts]
    address = str(ask.request.url.with_replacements(query=""))
    return paged(documents, ask.parameters, address=address, token=ask.token.value)


def _moment(ask: Ask, name: str) -> datetime | None:
    text = ask.parameters.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise invalid(f"Param {name} must be a Unix time")
    return datetime.fromtimestamp(int(text), UTC)


async def _insights(state: ThreadsState, ask: Ask) -> Any:
    ask.need(INSIGHTS)
    post = state.own_post(ask)
    asked = [name for name in ask.parameters.get("metric", "").split(",") if name]
    for position, name in enumerate(asked):
        if name not in METRICS:
            raise invalid(f"metric[{position}] must be one of the following values: {', '.join(METRICS)}")
    reached = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    shares = {"likes": 60, "replies": 8, "reposts": 6, "quotes": 2, "shares": 4}
    values = {name: share_of(reached, post.post_id, name, permille=permille) for name, permille in shares.items()}
    data = [
        {
            "name": name,
            "period": "lifetime",
            "values": [{"value": reached if name == "views" else values[name]}],
            "title": name.capitalize(),
            "description": name,
            "id": f"{post.post_id}/insights/{name}/lifetime",
        }
        for name in asked
    ]
    return {"data": data}


async def _delete(state: ThreadsState, ask: Ask) -> Any:
    post, account = state.own_post(ask), state.accounts[ask.token.account_id]
    ask.need(DELETE)
    if state.used(account, "deletes") >= account.deletes_max:
        raise GraphError(613, "(#613) Calls to this api have exceeded the rate limit.")
    account.used["deletes"].append(state.clock.now())
    post.removed = True
    moment = time_text(state.clock.now())
    value = {"id": post.post_id, "owner": {"owner_id": post.account_id}, "deleted_at": moment}
    value |= {"timestamp": time_text(post.posted_at), "username": account.username}
    tell(state, ask, "moderate", "delete", value)
    return {"success": True, "deleted_id": post.post_id}
