"""The one shape that every platform has, and the words it is told in.

A platform is stateless: what it must remember between two calls is written to the caller's journal,
and what it must know of an account is in the grant it is handed. Adding a platform is one folder that
satisfies `Platform` and one line in `platforms.registry`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
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
    BLUESKY = "bluesky"


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


# --- authorisation -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClientCredentials:
    """What the platform knows our application by. `client_id` is TikTok's client key."""

    client_id: str
    client_secret: Secret | None
    redirect_uri: str


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
class Delivery:
    """One revision on its way to one connection: exactly what was approved, nothing else.

    `planned_at` is fixed when the publication is created and never changes; natural keys come from it.
    """

    publication_id: UUID
    planned_at: datetime
    text: str
    media: tuple[Media, ...]
    settings: Mapping[str, Any]


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
    """The platform has everything and works on it; ask again after `ask_again_seconds`."""

    ask_again_seconds: float


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


Outcome = Published | Processing | Refused
Finding = Published | Processing | Refused | Absent | Undecided


@dataclass(frozen=True)
class Counts:
    """The metrics of one post at one time. `None`: the platform does not tell this number."""

    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    impressions: int | None = None


@dataclass(frozen=True)
class Call:
    """What a platform call is made with: the shared HTTP client, one account's grant, the clock."""

    http: httpx.AsyncClient
    clock: Clock
    grant: Grant


class Platform(Protocol):
    """One social platform. Every method raises `platforms.errors.PlatformError` and nothing else
    for what the platform or the way to it does."""

    name: PlatformName
    scopes: tuple[str, ...]
    insights_batch_max: int

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation: ...

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant:
        """Turn the callback's query parameters (decoded once) into a grant; `state` is already checked."""

    async def refresh(
        self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock
    ) -> Grant: ...

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the grant at the platform. Returns only if the platform confirmed."""

    async def profile(self, call: Call) -> Profile: ...

    def settings_schema(self) -> Mapping[str, Any]:
        """JSON Schema of `Delivery.settings`, so that a client can draw the form."""

    def check(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
        """Every rule the post would break, before anything is scheduled. Pure, no I/O."""

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Do everything that stays invisible. Resumes from the journal; safe to repeat."""

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Do the one thing that makes the post visible. Called only after `stage` returned and the
        caller has committed its intent. Raises `OutcomeUnknown` when no answer came."""

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Ask what became of an accepted post."""

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Answer "was it posted?" after an unknown outcome, with evidence, changing nothing."""

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Counts of at most `insights_batch_max` posts; a post that is gone is absent from the answer."""

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        """True if the body is signed by the platform with our secret. False where it has no webhooks."""
