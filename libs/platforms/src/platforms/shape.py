"""The one shape that every platform has, and the words it is told in.

A platform is stateless: what it must remember between two calls is written to the caller's journal,
and what it must know of an account is in the grant it is handed. `platforms.platform` is what it can do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import httpx
from kit.clock import Clock
from kit.secret import Secret


class PlatformName(StrEnum):
    """The platforms Signoff publishes to. The value is the word used in APIs, events and settings."""

    TIKTOK = "tiktok"
    INSTAGRAM = "instagram"
    FACEBOOK = "facebook"
    THREADS = "threads"
    X = "x"
    LINKEDIN = "linkedin"
    YOUTUBE = "youtube"
    BLUESKY = "bluesky"
    PINTEREST = "pinterest"


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


# --- authorisation -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClientCredentials:
    """What the platform knows our application by. `client_id` is TikTok's client key.

    `webhook_secret` is named where webhooks are signed with another secret than the client's, as X's are.
    """

    client_id: str
    client_secret: Secret | None
    redirect_uri: str
    webhook_secret: Secret | None = None


@dataclass(frozen=True)
class Authorisation:
    """A started authorisation: where to send the person, and what must be kept until they return.

    `kept` holds PKCE verifier, DPoP key, issuer and the like. It is secret; auth stores it sealed.
    """

    url: str
    kept: Mapping[str, Secret]
    expires_at: datetime


@dataclass(frozen=True)
class Grant:
    """The tokens behind a connection. `extra` holds what a platform needs besides, all of it secret."""

    account_id: str
    access_token: Secret
    refresh_token: Secret | None
    scopes: tuple[str, ...]
    expires_at: datetime
    refresh_expires_at: datetime | None
    extra: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """How the account shows itself, so that a team knows where a post will go."""

    account_id: str
    handle: str
    display_name: str
    avatar_url: str | None
    account_type: str | None
    union_id: str | None = None


# --- publishing ----------------------------------------------------------------------------------


class MediaSource(Protocol):
    """Reads the bytes of one stored object."""

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Stream bytes `start` (inclusive) to `end` (exclusive) in pieces of at most 1 MiB."""

    async def address(self) -> str:
        """An https address from which a platform can fetch the whole object within the next hour.

        It is a credential: who knows it can read. Raises `Misconfigured` where the installation has none to give.
        """


@dataclass(frozen=True)
class Media:
    """One image or video of a post. Sizes in bytes and pixels; the digest is lower-case hex."""

    kind: MediaKind
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float | None
    alt_text: str
    source: MediaSource | None = None


@dataclass(frozen=True)
class Tries:
    """How often the step that shows a post was begun, with the one under way, and when first."""

    count: int
    first_at: datetime


@dataclass(frozen=True)
class Delivery:
    """One revision on its way to one connection: exactly what was approved, nothing else.

    `planned_at` is fixed when the publication is created and never changes; natural keys come from it.
    `tries` are told by a caller that keeps them on disk before each visible step; without them a platform that needs to
    know writes its first try to the journal. So many of them are `forgiven`: a person said since that nothing of them
    is there, and what is in doubt about them may be made anew (`platforms.forgiving`). Nothing else in doubt ever is.
    """

    publication_id: UUID
    planned_at: datetime
    text: str
    media: tuple[Media, ...]
    settings: Mapping[str, Any]
    tries: Tries | None = None
    forgiven: int = 0


@dataclass(frozen=True)
class Violation:
    """One rule of the platform that a post would break, in words for the person who wrote it.

    `pointer` is a JSON pointer into the post: `/text`, `/media/0`, `/settings/privacy_level`.
    """

    code: str
    pointer: str
    detail: str


class Journal(Protocol):
    """What has been done for one publication. `record` returns only when the fact is on disk."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Every fact recorded so far (JSON values), in this attempt or an earlier one."""

    async def record(self, **facts: Any) -> None: ...


@dataclass(frozen=True)
class Receipt:
    """The platform's proof that a post is out. `post_id` and `url` can come later than the post."""

    post_id: str | None
    url: str | None
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    receipt: Receipt


@dataclass(frozen=True)
class Processing:
    """The platform has everything and works on it; ask again after `ask_again_seconds`.

    `evidence`: what a person finds it by, should it never come to an end.
    """

    ask_again_seconds: float
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """The platform looked at the post and will not show it. `repeatable`: a new attempt may succeed."""

    code: str
    detail: str
    advice: str
    repeatable: bool = False


@dataclass(frozen=True)
class Absent:
    """Proof that nothing was posted, so that repeating is safe."""

    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Undecided:
    """Neither found nor ruled out: a person decides with this evidence."""

    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Removed:
    """The post was there, and now it is gone from the platform with all its parts."""

    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class NotThere:
    """The platform has no such post (any more): an earlier call removed it, or somebody did so there."""

    evidence: Mapping[str, Any]


Outcome = Published | Processing | Refused
Finding = Published | Processing | Refused | Absent | Undecided


@dataclass(frozen=True)
class Shown:
    """One of the account's own posts, as the platform lists it. `text` comes as the platform tells it."""

    post_id: str
    posted_at: datetime
    text: str


@dataclass(frozen=True)
class OwnPosts:
    """The account's own posts since a time, the further ones of threads included.

    What is not `complete` proves no absence; `left_out` says in words what the platform does not list.
    """

    posts: tuple[Shown, ...]
    complete: bool = True
    left_out: str = ""


@dataclass(frozen=True)
class Counts:
    """The metrics of one post at one time. `None`: the platform does not tell this number."""

    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    impressions: int | None = None
    reach: int | None = None
    saves: int | None = None
    clicks: int | None = None
    watch_seconds: float | None = None


class NoticeKind(StrEnum):
    """What a platform tells of its own accord."""

    POST_PUBLISHED = "post_published"
    POST_FAILED = "post_failed"
    POST_REMOVED = "post_removed"
    AUTHORISATION_REMOVED = "authorisation_removed"
    ERASURE_REQUESTED = "erasure_requested"
    OTHER = "other"


@dataclass(frozen=True)
class Notice:
    """One thing that a verified webhook told. `notice_id` is the same when the platform tells it again.

    `reference` is what the platform calls the attempt where it has no post id yet (TikTok's publish_id), `code` its
    reason. Hints only: what they say of a post is asked of the platform before it is believed.
    """

    kind: NoticeKind
    notice_id: str
    account_id: str | None = None
    post_id: str | None = None
    reference: str | None = None
    code: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class Call:
    """What a platform call is made with: the shared HTTP client, one account's grant, the clock."""

    http: httpx.AsyncClient
    clock: Clock
    grant: Grant
