"""The imitated reading side: the own profile, posts by id, an account's newest posts, their counts, their pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.insights import audience, draw, share_of
from sandbox.shown import permalink
from sandbox.truth import Post
from sandbox.x.answers import AnyRequest, data, invalid, kind_of, whole
from sandbox.x.platform_state import NAME, XState
from sandbox.x.state import Account
from sandbox.x.wording import SHORT_TEXT_MAX, show, weight

READ = ("tweet.read", "users.read")
PRIVATE_DAYS = 30
PRIVATE = ("non_public_metrics", "organic_metrics")
POST_FIELDS = frozenset(
    [
        "attachments",
        "author_id",
        "community_id",
        "conversation_id",
        "created_at",
        "edit_controls",
        "entities",
        "id",
        "in_reply_to_user_id",
        "lang",
        "non_public_metrics",
        "note_tweet",
        "note_post",
        "organic_metrics",
        "possibly_sensitive",
        "public_metrics",
        "referenced_tweets",
        "referenced_posts",
        "reply_settings",
        "source",
        "text",
        "edit_history_tweet_ids",
        "edit_history_post_ids",
    ]
)
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
NEW_NAMES = {
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "edit_history_tweet_ids": "edit_history_post_ids",
}


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
        shown = [_document(state, post, fields, family.account_id)[0] for post in found[start : start + size]]
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


def document_of(state: XState, post: Post) -> dict[str, Any]:
    """A post with everything that everybody may see, as webhooks tell it."""
    return _document(state, post, sorted(POST_FIELDS - set(PRIVATE)), post.account_id)[0]


def _page_of(request: AnyRequest, state: XState, ids: list[str], reader: str) -> dict[str, Any]:
    """What was found, and beside it what was not and why."""
    fields, found, problems = _fields(request), [], []
    for post_id in ids:
        post = state.post(post_id)
        if post is None:
            problems.append(_missing(request, post_id))
            continue
        document, withheld = _document(state, post, fields, reader)
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


def _document(state: XState, post: Post, fields: list[str], reader: str) -> tuple[dict[str, Any], list[str]]:
    """The fields asked for, and those that the reader may not see."""
    username = state.accounts[post.account_id].username
    shown = show(post, f"https://x.com/{username}/status/{post.post_id}")
    text, note = shown.text, None
    if weight(post.text) > SHORT_TEXT_MAX:
        text, note = text[: SHORT_TEXT_MAX - 1] + "…", {"text": text, "entities": {"urls": shown.urls}}
    known = {
        "id": post.post_id,
        "text": text,
        "edit_history_tweet_ids": [post.post_id],
        "author_id": post.account_id,
        "conversation_id": post.post_id,
        "created_at": post.posted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "entities": {"urls": shown.urls} if shown.urls else None,
        "attachments": {"media_keys": post.settings["media_keys"]} if "media_keys" in post.settings else None,
        "referenced_tweets": _references(post) or None,
        "note_tweet": note,
        "reply_settings": post.settings.get("reply_settings", "everyone"),
        "public_metrics": _public(state, post),
        "non_public_metrics": _private(state, post),
        "organic_metrics": _private(state, post),
    }
    old = {new: name for name, new in NEW_NAMES.items()}
    wanted = {"id", "text", "edit_history_tweet_ids", *(old.get(name, name) for name in fields)}
    is_private = post.account_id != reader or state.clock.now() - post.posted_at > timedelta(days=PRIVATE_DAYS)
    withheld = [name for name in PRIVATE if name in wanted and is_private]
    document = {name: value for name, value in known.items() if name in wanted - set(withheld) and value is not None}
    if state.renamed:
        document = {NEW_NAMES.get(name, name): value for name, value in document.items()}
    return document, withheld


def _references(post: Post) -> list[dict[str, str]]:
    reply, quoted = post.settings.get("reply"), post.settings.get("quote_tweet_id")
    found = [{"type": "quoted", "id": quoted}] if quoted else []
    return [{"type": "replied_to", "id": reply["in_reply_to_tweet_id"]}, *found] if reply else found


def _public(state: XState, post: Post) -> dict[str, int]:
    views = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    shares = "repost_count" if state.renamed else "retweet_count"
    return {
        shares: share_of(views, post.post_id, "repost", permille=6),
        "reply_count": share_of(views, post.post_id, "reply", permille=8),
        "like_count": share_of(views, post.post_id, "like", permille=40),
        "quote_count": share_of(views, post.post_id, "quote", permille=3),
        "bookmark_count": share_of(views, post.post_id, "bookmark", permille=5),
        "impression_count": views,
    }


def _private(state: XState, post: Post) -> dict[str, int]:
    views = audience(post.post_id, posted_at=post.posted_at, now=state.clock.now())
    return {
        "impression_count": views,
        "url_link_clicks": share_of(views, post.post_id, "click", permille=12),
        "user_profile_clicks": share_of(views, post.post_id, "profile", permille=7),
        "engagements": share_of(views, post.post_id, "engagement", permille=80),
    }


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
