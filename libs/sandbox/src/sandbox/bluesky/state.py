"""What the imitated Bluesky knows: accounts, sessions bound to keys, blobs, records."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kit.clock import Clock

from sandbox.truth import Post, Truth
from sandbox.tuning import Tuning

NAME = "bluesky"
POST = "app.bsky.feed.post"
THREADGATE = "app.bsky.feed.threadgate"
POSTGATE = "app.bsky.feed.postgate"
ACCESS_SECONDS = 3599
SESSION_SECONDS = 14 * 24 * 3600
REQUEST_SECONDS = 299
CODE_SECONDS = 60
UNREFERENCED_BLOB_SECONDS = 3600
APP_PASSWORD = "sandbox-password"  # noqa: S105  # known to everyone on purpose
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Account:
    """A person on Bluesky. `blocked` is the error name the server answers with, such as `AccountTakedown`."""

    handle: str
    display_name: str
    did: str = ""
    description: str = ""
    app_password: str = APP_PASSWORD
    blocked: str | None = None

    def __post_init__(self) -> None:
        if not self.did:
            digest = base64.b32encode(hashlib.sha256(self.handle.encode()).digest()).decode().lower()
            self.did = f"did:plc:{digest[:24]}"


@dataclass
class Client:
    """An application's metadata, as far as it is looked at."""

    client_id: str
    redirect_uris: list[str] = field(default_factory=list)


@dataclass
class Asked:
    """A pushed authorisation request."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str
    key_thumbprint: str
    login_hint: str
    expires_at: datetime


@dataclass
class Code:
    asked: Asked
    did: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class Session:
    """One authorisation, bound to one DPoP key; by app password it has no key. A refresh token seen twice ends it.

    `replaced` are the refresh tokens of an app password that are good for a while longer.
    """

    did: str
    client_id: str
    key_thumbprint: str
    scopes: list[str]
    ends_at: datetime
    access_token: str = ""
    access_expires_at: datetime = NEVER
    refresh_token: str = ""
    used_refresh_tokens: set[str] = field(default_factory=set)
    replaced: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False

    def rotate(self, now: datetime) -> None:
        if self.refresh_token:
            self.used_refresh_tokens.add(self.refresh_token)
        self.access_token = f"tok-{secrets.token_urlsafe(32)}"
        self.refresh_token = f"ref-{secrets.token_urlsafe(32)}"
        self.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)


@dataclass(frozen=True)
class LentToken:
    """With it another service may act for the account, for one method. `until` in Unix seconds."""

    did: str
    audience: str
    method: str
    until: float


@dataclass
class Blob:
    """An uploaded file; its bytes are hashed and not kept."""

    cid: str
    sha256: str
    content_type: str
    size_bytes: int
    uploaded_at: datetime
    referenced: bool = False


@dataclass
class Record:
    cid: str
    value: dict[str, Any]
    written_at: datetime
    post: Post | None = None


class BlueskyState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        defaults = (Account("brand.test", "Brand"), Account("pub.test", "Pub"))
        self.accounts = {account.did: account for account in defaults}
        self.clients: dict[str, Client] = {}
        self.asked: dict[str, Asked] = {}
        self.codes: dict[str, Code] = {}
        self.sessions: list[Session] = []
        self.lent: dict[str, LentToken] = {}
        self.blobs: dict[tuple[str, str], Blob] = {}
        self.records: dict[tuple[str, str, str], Record] = {}
        self._writes: dict[str, deque[tuple[datetime, int]]] = {}

    def account_of(self, handle_or_did: str) -> Account | None:
        name = handle_or_did.lower()
        return next((a for a in self.accounts.values() if name in (a.did, a.handle.lower())), None)

    def client_of(self, client_id: str) -> Client | None:
        """A registered application, or the development form whose identifier holds its own metadata."""
        parts = urlsplit(client_id)
        if parts.scheme == "http" and parts.netloc == "localhost" and parts.path in ("", "/"):
            return Client(client_id, parse_qs(parts.query).get("redirect_uri", []))
        return self.clients.get(client_id)

    def blob_of(self, did: str, cid: str) -> Blob | None:
        """A blob, unless no record named it for an hour: then it has been collected."""
        blob = self.blobs.get((did, cid))
        if blob is None or blob.referenced:
            return blob
        age = self.clock.now() - blob.uploaded_at
        return None if age > timedelta(seconds=UNREFERENCED_BLOB_SECONDS) else blob

    def spend_points(self, did: str, points: int, *, limit: int) -> tuple[int, datetime]:
        """Count a write; returns what is left of the hour's points (negative: one too many) and when it resets."""
        now = self.clock.now()
        spent = self._writes.setdefault(did, deque())
        while spent and now - spent[0][0] >= timedelta(hours=1):
            spent.popleft()
        left = limit - sum(count for _, count in spent) - points
        if left >= 0:
            spent.append((now, points))
        return left, (spent[0][0] if spent else now) + timedelta(hours=1)
