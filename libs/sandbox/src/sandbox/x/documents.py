"""A post as the imitated X tells it: fields that were asked for, under the old names or the new ones, with counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.insights import audience, share_of
from sandbox.truth import Post
from sandbox.x.platform_state import XState
from sandbox.x.wording import SHORT_TEXT_MAX, show, weight

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
NEW_NAMES = {
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "edit_history_tweet_ids": "edit_history_post_ids",
}


def document_of(state: XState, post: Post) -> dict[str, Any]:
    """A post with everything that everybody may see, as webhooks tell it."""
    return document_for(state, post, sorted(POST_FIELDS - set(PRIVATE)), post.account_id)[0]


def document_for(state: XState, post: Post, fields: list[str], reader: str) -> tuple[dict[str, Any], list[str]]:
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
