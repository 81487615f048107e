"""The imitated reading side: the own profile, posts by id, an account's newest posts, their counts, their pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import draw
from sandbox.shown import permalink
from sandbox.truth import Post
from sandbox.x.answers import AnyRequest, data, invalid, kind_of, whole
from sandbox.x.documents import POST_FIELDS, document_for
from sandbox.x.platform_state import NAME, XState
from sandbox.x.state import Account

READ = ("tweet.read", "users.read")
USER_FIELDS = frozenset(
    [
        "created_at",
        "description",
        "id",
        "location",
        "name",
        "profile_image_url",
        "protected",
        "public_metrics",
        "subscription_type",
        "url",
        "username",
        "verified",
        "verified_type",
    ]
)


def create_handlers(state: XState) -> list[HTTPRouteHandler]:
    return [_me(state), *_posts(state), _page(state)]


def _me(state: XState) -> HTTPRouteHandler:
    @get("/2/users/me", sync_to_thread=False)
    def me(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "me", 75, *READ)
        wanted = _list(request, "user.fields")
        _refuse_unknown(wanted, USER_FIELDS, "user.fields")
        known = _profile(state, state.accounts[family.account_id])
        return data(request, {name: known[name] for name in {"id", "name", "username", *wanted} if name in known})

    return me


def _posts(state: XState) -> list[HTTPRouteHandler]:
    @get("/2/tweets", sync_to_thread=False)
    def lookup(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "lookup", 5000, *READ)
        ids = _list(request, "ids")
        if not 0 < len(ids) <= 100 or not all(each.isdigit() and len(each) <= 19 for each in ids):
            raise invalid("The number of values in the `ids` query parameter list is not between 1 and 100", ids=ids)
        return whole(request, _page_of(request, state, ids, family.account_id))

    @get("/2/tweets/{post_id:str}", sync_to_thread=False)
    def one(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "lookup_one", 900, *READ)
        document = _page_of(request, state, [str(request.path_params["post_id"])], family.account_id)
        return whole(request, {"data": document["data"][0]} if document.get("data") else document)

    @get("/2/users/{user_id:str}/tweets", sync_to_thread=False)
    def listing(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "user_posts", 900, *READ)
        fields = _fields(request)
        found = _listed(state, request, str(request.path_params["user_id"]))
        size = _page_size(request)
        token = request.query_params.get("pagination_token", "0")
        if not token.isdigit():
            raise invalid("The pagination token is not valid", pagination_token=[token])
        start = int(token)
        shown = [document_for(state, post, fields, family.account_id)[0] for post in found[start : start + size]]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if shown:
            meta |= {"newest_id": shown[0]["id"], "oldest_id": shown[-1]["id"]}
        if start + size < len(found):
            meta["next_token"] = str(start + size)
        return whole(request, ({"data": shown} if shown else {}) | {"meta": meta})

    return [lookup, one, listing]


def _page(state: XState) -> HTTPRouteHandler:
    @get("/{author:str}/status/{post_id:str}", sync_to_thread=False)
    def show_page(request: AnyRequest) -> Response[str]:
        author, post_id = str(request.path_params["author"]), str(request.path_params["post_id"])
        return permalink(state.truth, NAME, post_id, author=author)

    return show_page


def _page_of(request: AnyRequest, state: XState, ids: list[str], reader: str) -> dict[str, Any]:
    """What was found, and beside it what was not and why."""
    fields, found, problems = _fields(request), [], []
    for post_id in ids:
        post = state.post(post_id)
        if post is None:
            problems.append(_missing(request, post_id))
            continue
        document, withheld = document_for(state, post, fields, reader)
        found.append(document)
        problems += [_withheld(request, post_id, name) for name in withheld]
    return ({"data": found} if found else {}) | ({"errors": problems} if problems else {})


def _listed(state: XState, request: AnyRequest, user_id: str) -> list[Post]:
    """Newest first; a post comes into the list a little after it was made."""
    now = state.clock.now()
    begin = _moment(request.query_params.get("start_time"))
    excluded = _list(request, "exclude")
    return [
        post
        for post in reversed(state.posts_of(user_id))
        if now - post.posted_at >= timedelta(seconds=state.list_lag_seconds)
        and (begin is None or post.posted_at >= begin)
        and not ("replies" in excluded and post.settings.get("reply"))
    ]


def _profile(state: XState, account: Account) -> dict[str, Any]:
    posts = len(state.posts_of(account.id))
    return {
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "profile_image_url": f"{state.base_url}/profile_images/{account.id}_normal.jpg",
        "verified": account.verified_type != "none",
        "verified_type": account.verified_type,
        "subscription_type": account.subscription_type,
        "created_at": "2013-12-14T04:35:55.000Z",
        "protected": False,
        "public_metrics": {
            "followers_count": draw(account.id, "followers") % 5000,
            "following_count": draw(account.id, "following") % 500,
            "post_count" if state.renamed else "tweet_count": posts,
            "listed_count": 0,
            "like_count": draw(account.id, "likes") % 900,
            "media_count": 0,
        },
    }


def _missing(request: AnyRequest, post_id: str) -> dict[str, Any]:
    return _about(request, post_id, "resource-not-found") | {
        "title": "Not Found Error",
        "detail": f"Could not find tweet with ids: [{post_id}].",
        "parameter": "ids",
        "value": post_id,
    }


def _withheld(request: AnyRequest, post_id: str, field: str) -> dict[str, Any]:
    return _about(request, post_id, "not-authorized-for-field") | {
        "title": "Field Authorization Error",
        "detail": f"Sorry, you are not authorized to access '{field}' on the Tweet with ids : [{post_id}].",
        "field": field,
        "section": "data",
        "parameter": "ids",
        "value": post_id,
    }


def _about(request: AnyRequest, post_id: str, kind: str) -> dict[str, Any]:
    return {"resource_type": "tweet", "resource_id": post_id, "type": kind_of(request, kind)}


def _fields(request: AnyRequest) -> list[str]:
    """Under both names that the parameter has had."""
    wanted = [*_list(request, "tweet.fields"), *_list(request, "post.fields")]
    _refuse_unknown(wanted, POST_FIELDS, "tweet.fields")
    return wanted


def _refuse_unknown(wanted: list[str], known: frozenset[str], parameter: str) -> None:
    for name in wanted:
        if name not in known:
            raise invalid(
                f"The `{parameter}` query parameter value [{name}] is not one of its fields", **{parameter: [name]}
            )


def _list(request: AnyRequest, parameter: str) -> list[str]:
    return [piece for value in request.query_params.getall(parameter, []) for piece in value.split(",") if piece]


def _page_size(request: AnyRequest) -> int:
    size = request.query_params.get("max_results", "10")
    if not size.isdigit() or not 5 <= int(size) <= 100:
        raise invalid(f"The `max_results` query parameter value [{size}] is not between 5 and 100", max_results=[size])
    return int(size)


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid(f"The `start_time` query parameter value [{value}] is not a time", start_time=[value]) from error
