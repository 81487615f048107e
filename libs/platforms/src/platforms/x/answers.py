"""X's answers, as far as they are looked at. Fields it adds are ignored.

In 2026 X renamed tweets to posts inside its answers; which name a server sends is not known, so both are read.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from platforms import tokens

Id = Annotated[str, Meta(pattern="^[0-9]{1,19}$")]


class Tokens(tokens.Tokens, frozen=True):
    """`refresh_token` comes only if the person granted `offline.access`."""

    expires_in: int = 7200


class User(msgspec.Struct, frozen=True):
    id: Id
    username: str
    name: str = ""
    profile_image_url: str | None = None
    verified_type: str | None = None
    subscription_type: str | None = None


class ProcessingInfo(msgspec.Struct, frozen=True):
    state: str
    check_after_secs: float | None = None
    error: dict[str, object] | None = None


class Upload(msgspec.Struct, frozen=True):
    """A file on its way. Without `processing_info` it is ready."""

    id: Id
    media_key: str | None = None
    expires_after_secs: int | None = None
    processing_info: ProcessingInfo | None = None


class Described(msgspec.Struct, frozen=True):
    id: Id


class Created(msgspec.Struct, frozen=True):
    id: Id


class Deleted(msgspec.Struct, frozen=True):
    deleted: bool


class Url(msgspec.Struct, frozen=True):
    url: str | None = None
    expanded_url: str | None = None
    media_key: str | None = None


class Entities(msgspec.Struct, frozen=True):
    urls: list[Url] | None = None


class Note(msgspec.Struct, frozen=True):
    """The whole of a long text, of which `text` is only the beginning."""

    text: str
    entities: Entities | None = None


class Attachments(msgspec.Struct, frozen=True):
    media_keys: list[str] | None = None


class Reference(msgspec.Struct, frozen=True):
    type: str
    id: str


class PublicMetrics(msgspec.Struct, frozen=True):
    retweet_count: int | None = None
    repost_count: int | None = None
    reply_count: int | None = None
    like_count: int | None = None
    quote_count: int | None = None
    bookmark_count: int | None = None
    impression_count: int | None = None

    @property
    def shares(self) -> int | None:
        """Reposts do not include quotes."""
        reposts = self.retweet_count if self.repost_count is None else self.repost_count
        return None if reposts is None else reposts + (self.quote_count or 0)


class PrivateMetrics(msgspec.Struct, frozen=True):
    impression_count: int | None = None
    url_link_clicks: int | None = None


class Post(msgspec.Struct, frozen=True):
    id: Id
    text: str = ""
    entities: Entities | None = None
    attachments: Attachments | None = None
    referenced_tweets: list[Reference] | None = None
    referenced_posts: list[Reference] | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    public_metrics: PublicMetrics | None = None
    non_public_metrics: PrivateMetrics | None = None

    @property
    def replied_to(self) -> str | None:
        references = self.referenced_posts or self.referenced_tweets or []
        return next((reference.id for reference in references if reference.type == "replied_to"), None)

    @property
    def note(self) -> Note | None:
        return self.note_post or self.note_tweet


class Problem(msgspec.Struct, frozen=True):
    """Why one post of an answer is missing, or one of its fields."""

    type: str = ""
    resource_id: str | None = None
    value: str | None = None


class ListMeta(msgspec.Struct, frozen=True):
    next_token: str | None = None


class Posts(msgspec.Struct, frozen=True):
    data: list[Post] = []
    errors: list[Problem] = []
    meta: ListMeta = ListMeta()
