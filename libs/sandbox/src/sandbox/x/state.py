"""What the imitated X knows: applications, accounts, tokens, files."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SCOPES = (
    "tweet.read",
    "tweet.write",
    "tweet.moderate.write",
    "users.read",
    "users.email",
    "media.write",
    "offline.access",
    "like.read",
    "like.write",
    "follows.read",
    "follows.write",
    "space.read",
)
CODE_SECONDS = 30
ACCESS_SECONDS = 7200
REFRESH_SECONDS = 180 * 86_400
MEDIA_SECONDS = 86_400
WINDOW_SECONDS = 900
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Client:
    """A registered application. Without redirect addresses any is accepted, to make a first try easy."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  # known to everyone on purpose
    consumer_secret: str = "sandbox-client-secret"  # noqa: S105
    """Signs webhooks. At the real X it is another one than the client secret."""
    redirect_uris: list[str] = field(default_factory=list)
    public: bool = False
    self_serve: bool = True
    """On a plan that anyone can buy: no quotes, replies only to whom one was called by."""
    webhook_url: str | None = None


@dataclass
class Account:
    id: str
    username: str
    name: str
    verified_type: str = "none"
    subscription_type: str = "None"
    suspended: bool = False

    @property
    def is_premium(self) -> bool:
        return self.subscription_type in ("Premium", "PremiumPlus")


@dataclass
class Asked:
    """An authorisation request that waits for the person."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str
    method: str


@dataclass
class Code:
    """A code on its way back; it works once."""

    asked: Asked
    account_id: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class Family:
    """The tokens of one authorisation. Each refresh token works once; using one again ends them all."""

    client_id: str
    account_id: str
    scopes: list[str]
    access_token: str = ""
    access_expires_at: datetime = NEVER
    refresh_token: str = ""
    refresh_expires_at: datetime = NEVER
    used: set[str] = field(default_factory=set)
    revoked: bool = False

    def rotate(self, now: datetime) -> None:
        if self.refresh_token:
            self.used.add(self.refresh_token)
        self.access_token = secrets.token_urlsafe(48)
        self.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)
        if "offline.access" in self.scopes:
            self.refresh_token = secrets.token_urlsafe(48)
            self.refresh_expires_at = now + timedelta(seconds=REFRESH_SECONDS)


@dataclass
class File:
    """One upload. Bytes are hashed in their order and not kept, except those that came before their turn."""

    id: str
    key: str
    owner: str
    content_type: str
    category: str
    total_bytes: int
    expires_at: datetime
    seen: set[int] = field(default_factory=set)
    early: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    alt_text: str = ""
    ready_at: datetime | None = None
    finalised_at: datetime | None = None
    failure: str | None = None

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()
        self._turn = 0

    def add(self, index: int, segment: bytes) -> None:
        self.seen.add(index)
        self.early[index] = segment
        while self._turn in self.early:
            piece = self.early.pop(self._turn)
            self.digest.update(piece)
            self.size += len(piece)
            self._turn += 1

    @property
    def is_complete(self) -> bool:
        return not self.early and self.size == self.total_bytes


@dataclass
class Webhook:
    id: str
    url: str
    client_id: str
    created_at: datetime
    valid: bool = True


@dataclass
class Subscription:
    """Events of one kind about one account, sent to one webhook."""

    id: str
    webhook_id: str
    event_type: str
    user_id: str
    tag: str | None
    created_at: datetime


class Windows:
    """Calls in windows of a fixed length, counted for each caller and endpoint."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._windows: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, caller: str, endpoint: str, now: datetime) -> tuple[int, int]:
        """How many calls this one makes in its window, and when that ends (Unix seconds)."""
        begin = int(now.timestamp()) // self._seconds * self._seconds
        start, calls = self._windows.get((caller, endpoint), (begin, 0))
        calls = calls + 1 if start == begin else 1
        self._windows[caller, endpoint] = (begin, calls)
        return calls, begin + self._seconds
