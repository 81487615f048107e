"""What the imitated TikTok knows: applications, accounts, tokens, publications."""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sandbox.truth import PostedMedia

SCOPES = ("user.info.basic", "user.info.profile", "user.info.stats", "video.list", "video.publish", "video.upload")
ACCESS_SECONDS = 7200
REFRESH_SECONDS = 15_552_000
CODE_SECONDS = 600
NEVER = datetime.max.replace(tzinfo=UTC)
UPLOAD_URL_SECONDS = 3600


class Hash(Protocol):
    """The part of a hashlib object that is used here."""

    def update(self, data: bytes, /) -> None: ...
    def copy(self) -> Hash: ...
    def hexdigest(self) -> str: ...


@dataclass
class Client:
    """A registered application. Without redirect addresses any is accepted, to make a first try easy."""

    client_key: str = "sandbox-client-key"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  # known to everyone on purpose
    redirect_uris: list[str] = field(default_factory=list)
    audited: bool = True
    verified_prefixes: list[str] = field(default_factory=lambda: ["http://127.0.0.1:", "http://localhost:"])
    """What an address must begin with to be fetched from; the real ones are all https."""
    webhook_url: str | None = None


@dataclass
class Account:
    """A TikTok user and the switches of their account."""

    open_id: str
    username: str
    display_name: str
    private: bool = False
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int = 600
    cannot_post: str | None = None
    """The error code creator_info and init answer with, such as `spam_risk_user_banned_from_posting`."""

    @property
    def union_id(self) -> str:
        return hashlib.sha256(self.open_id.encode()).hexdigest()[:32]

    def privacy_options(self) -> list[str]:
        first = "FOLLOWER_OF_CREATOR" if self.private else "PUBLIC_TO_EVERYONE"
        return [first, "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]


@dataclass
class Asked:
    """An authorisation request that waits for the person."""

    client_key: str
    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str | None


@dataclass
class Code:
    """A code on its way back; it works once."""

    asked: Asked
    open_id: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class Grant:
    """The tokens of one authorisation. Rotating replaces both."""

    client_key: str
    open_id: str
    scopes: list[str]
    access_token: str = ""
    refresh_token: str = ""
    access_expires_at: datetime = NEVER
    refresh_expires_at: datetime = NEVER
    revoked: bool = False

    def rotate(self, now: datetime) -> None:
        self.access_token = f"act.{secrets.token_urlsafe(32)}!4321.e1"
        self.refresh_token = f"rft.{secrets.token_urlsafe(32)}!4321.e1"
        self.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)
        self.refresh_expires_at = now + timedelta(seconds=REFRESH_SECONDS)


@dataclass(kw_only=True)
class Publication:
    """One publication from its init on."""

    publish_id: str
    post_id: str
    open_id: str
    client_key: str
    post_info: dict[str, Any]
    started_at: datetime
    fail_reason: str | None = None
    id_never_told: bool = False
    done_at: datetime | None = None
    cancelled: bool = False

    def is_public(self) -> bool:
        return self.post_info.get("privacy_level") == "PUBLIC_TO_EVERYONE"


@dataclass(kw_only=True)
class Upload(Publication):
    """A video that is sent. The bytes are hashed as they come and not kept."""

    upload_id: str
    upload_token: str
    size: int
    chunk_size: int
    chunk_count: int
    stored: int = 0
    content_type: str = ""
    digest: Hash = field(default_factory=hashlib.sha256)

    def expected_end(self) -> int:
        """Where the chunk that comes next must end (exclusive)."""
        index = self.stored // self.chunk_size
        return self.size if index >= self.chunk_count - 1 else (index + 1) * self.chunk_size


@dataclass(kw_only=True)
class Photos(Publication):
    """Images that are fetched. `fetched` grows with them."""

    addresses: list[str]
    cover_index: int
    made_by_ai: bool
    fetched: list[PostedMedia] = field(default_factory=list)


class MinuteLimits:
    """Sliding windows of one minute, per token and endpoint."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], deque[datetime]] = {}

    def exceeded(self, token: str, endpoint: str, *, limit: int, now: datetime) -> bool:
        """Count a call; True if it is one too many."""
        calls = self._calls.setdefault((token, endpoint), deque())
        while calls and now - calls[0] >= timedelta(minutes=1):
            calls.popleft()
        if len(calls) >= limit:
            return True
        calls.append(now)
        return False
