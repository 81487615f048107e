"""The imitated posts: made, refused, deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sandbox.truth import Post, PostedMedia
from sandbox.x.answers import AnyRequest, Problem, data, invalid
from sandbox.x.documents import document_of
from sandbox.x.media import decode, usable
from sandbox.x.platform_state import NAME, XState
from sandbox.x.state import Account, Client, File
from sandbox.x.wording import SHORT_TEXT_MAX, cashtags, show, weight

LONG_TEXT_MAX = 25_000
DUPLICATE_HOURS = 24
NOT_PERMITTED = "You are not permitted to perform this action."
NO_FEATURE = "Your account is not permitted to access this feature."

Id = Annotated[str, Meta(pattern="^[0-9]{1,19}$")]
Repliers = Literal["following", "mentionedUsers", "subscribers", "verified"]


class NewMedia(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    media_ids: Annotated[list[Id], Meta(min_length=1, max_length=4)]
    tagged_user_ids: Annotated[list[Id], Meta(max_length=10)] = []


class NewPoll(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    options: Annotated[list[Annotated[str, Meta(min_length=1, max_length=25)]], Meta(min_length=2, max_length=4)]
    duration_minutes: Annotated[int, Meta(ge=5, le=10_080)]
    reply_settings: Repliers | None = None


class NewReply(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    in_reply_to_tweet_id: Id
    exclude_reply_user_ids: list[Id] = []
    auto_populate_reply_metadata: bool = False


class Geo(msgspec.Struct, forbid_unknown_fields=True):
    place_id: str


class EditOptions(msgspec.Struct, forbid_unknown_fields=True):
    previous_post_id: Id


class NewPost(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    text: str = ""
    media: NewMedia | None = None
    poll: NewPoll | None = None
    quote_tweet_id: Id | None = None
    reply: NewReply | None = None
    reply_settings: Repliers | None = None
    geo: Geo | None = None
    card_uri: str | None = None
    community_id: Id | None = None
    direct_message_deep_link: str | None = None
    edit_options: EditOptions | None = None
    for_super_followers_only: bool = False
    made_with_ai: bool = False
    nullcast: bool = False
    paid_partnership: bool = False
    share_with_followers: bool = False


def create_handlers(state: XState) -> list[HTTPRouteHandler]:
    return [_create(state), _remove(state)]


def _create(state: XState) -> HTTPRouteHandler:
    @post("/2/tweets", status_code=201)
    async def create(request: AnyRequest) -> Response[bytes]:
        scopes = ("tweet.read", "tweet.write", "users.read")
        family = state.admit(request, "create_post", 100, *scopes, daily=True)
        asked = decode(await request.body(), NewPost)
        account, client = state.accounts[family.account_id], state.clients[family.client_id]
        _refuse_form(asked)
        files = [usable(state, media_id, account.id) for media_id in asked.media.media_ids] if asked.media else []
        _refuse_files(files)
        _refuse_words(state, asked, files, account)
        _refuse_references(state, asked, account, client)
        made = _make(state, asked, files, account)
        state.truth.add(made)
        state.tell("post.create", account.id, document_of(state, made))
        history = "edit_history_post_ids" if state.renamed else "edit_history_tweet_ids"
        text = show(made, f"https://x.com/{account.username}/status/{made.post_id}").text
        return data(request, {"id": made.post_id, "text": text, history: [made.post_id]}, status=201)

    return create


def _remove(state: XState) -> HTTPRouteHandler:
    @delete("/2/tweets/{post_id:str}", status_code=200, sync_to_thread=False)
    def remove(request: AnyRequest) -> Response[bytes]:
        family = state.admit(request, "delete_post", 50, "tweet.read", "tweet.write", "users.read")
        post_id = str(request.path_params["post_id"])
        found = state.post(post_id)
        if found is not None and found.account_id != family.account_id:
            raise Problem(403, NOT_PERMITTED)
        if found is not None:
            found.removed = True
            state.tell("post.delete", family.account_id, {"id": post_id, "author_id": family.account_id})
        return data(request, {"deleted": found is not None})

    return remove


def _refuse_form(asked: NewPost) -> None:
    if not asked.text.strip() and asked.media is None:
        raise invalid("Your Tweet text cannot be empty.", text=[asked.text])
    exclusive = (asked.media, asked.poll, asked.quote_tweet_id, asked.card_uri)
    if sum(value is not None for value in exclusive) > 1:
        raise invalid("$.: must have at most one of media, poll, quote_tweet_id, card_uri", body=[])


def _refuse_files(files: list[File]) -> None:
    alone = [file for file in files if file.category != "tweet_image"]
    if alone and len(files) > 1:
        raise Problem(400, "Your media IDs are invalid.", "invalid-request")


def _refuse_words(state: XState, asked: NewPost, files: list[File], account: Account) -> None:
    if weight(asked.text) > (LONG_TEXT_MAX if account.is_premium else SHORT_TEXT_MAX):
        raise Problem(403, NOT_PERMITTED)
    if cashtags(asked.text) > 1:
        raise Problem(403, "You can post a maximum of one cashtag in a Tweet.")
    since = state.clock.now() - timedelta(hours=DUPLICATE_HOURS)
    digests = [file.digest.hexdigest() for file in files]
    for earlier in state.posts_of(account.id):
        same = (earlier.text.strip(), [item.sha256 for item in earlier.media]) == (asked.text.strip(), digests)
        if same and earlier.posted_at > since:
            raise Problem(403, "You are not allowed to create a Tweet with duplicate content.")


def _refuse_references(state: XState, asked: NewPost, account: Account, client: Client) -> None:
    if asked.quote_tweet_id:
        if client.self_serve:
            raise Problem(403, NO_FEATURE)
        _target(state, asked.quote_tweet_id)
    if asked.reply:
        target = _target(state, asked.reply.in_reply_to_tweet_id)
        called = f"@{account.username}" in target.text
        if target.account_id != account.id and client.self_serve and not called:
            raise Problem(403, NOT_PERMITTED)


def _target(state: XState, post_id: str) -> Post:
    found = state.post(post_id)
    if found is None:
        detail = f"Could not find tweet with id: [{post_id}]."
        raise Problem(404, detail, "resource-not-found", resource_type="tweet", resource_id=post_id)
    return found


def _make(state: XState, asked: NewPost, files: list[File], account: Account) -> Post:
    settings: dict[str, Any] = msgspec.to_builtins(asked)
    settings.pop("text", None)
    settings.pop("media", None)
    if files:
        settings["media_keys"] = [file.key for file in files]
    if asked.media and asked.media.tagged_user_ids:
        settings["tagged_user_ids"] = asked.media.tagged_user_ids
    return Post(
        platform=NAME,
        account_id=account.id,
        post_id=state.new_id(),
        text=asked.text,
        media=tuple(
            PostedMedia(file.digest.hexdigest(), file.size, file.content_type, file.alt_text) for file in files
        ),
        settings=settings,
        posted_at=state.clock.now(),
    )
