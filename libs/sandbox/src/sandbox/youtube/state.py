"""What the imitated YouTube knows: applications, channels, tokens, upload sessions, videos, playlists, comments."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sandbox.truth import Post

PREFIX = "https://www.googleapis.com/auth/"
UPLOAD, MANAGE, SSL, READ = (
    f"{PREFIX}{name}" for name in ("youtube.upload", "youtube", "youtube.force-ssl", "youtube.readonly")
)
ANALYTICS = f"{PREFIX}yt-analytics.readonly"
IDENTITY = (f"{PREFIX}userinfo.profile", f"{PREFIX}userinfo.email", "openid")
SCOPES = (UPLOAD, MANAGE, SSL, READ, ANALYTICS, f"{PREFIX}yt-analytics-monetary.readonly", *IDENTITY)
READING = (MANAGE, SSL, READ)
CHANGING = (MANAGE, SSL)
UPLOADING = (UPLOAD, MANAGE, SSL)

ACCESS_SECONDS = 3599
TESTING_REFRESH_SECONDS = 604_799
CODE_SECONDS = 600
SESSION_SECONDS = 7 * 24 * 3600
LIVE_GRANTS_MAX = 100
CHUNK_STEP = 262_144
PACIFIC = ZoneInfo("America/Los_Angeles")


class Hash(Protocol):
    """The part of a hashlib object that is used here."""

    def update(self, data: bytes, /) -> None: ...
    def copy(self) -> Hash: ...
    def hexdigest(self) -> str: ...


@dataclass
class Client:
    """A registered application (a Google project). Without redirect addresses any is accepted."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  # known to everyone on purpose
    redirect_uris: list[str] = field(default_factory=list)
    audited: bool = True
    """Videos of a project that YouTube has not audited stay private."""
    testing: bool = False
    """Refresh tokens of a project in test live for a week."""
    api_enabled: bool = True


@dataclass
class Channel:
    """A channel and the switches of its owner."""

    handle: str
    title: str
    user: str = "sandbox-user-one"
    """The Google account it belongs to; one account can have several channels."""
    exists: bool = True
    """False: a Google account without a channel."""
    phone_verified: bool = True
    comments_disabled: bool = False
    cannot_upload: str | None = None
    """The reason uploads are refused with, such as `channelSuspended`."""

    @property
    def channel_id(self) -> str:
        return "UC" + base64.urlsafe_b64encode(hashlib.sha256(self.handle.encode()).digest()).decode()[:22]

    @property
    def uploads_playlist(self) -> str:
        return "UU" + self.channel_id[2:]


@dataclass
class Asked:
    """An authorisation request that waits for the person."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: list[str]
    challenge: str | None
    challenge_method: str
    offline: bool
    consent: bool
    add_granted: bool


@dataclass
class Code:
    """A code on its way back; it works once."""

    asked: Asked
    channel_id: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class Grant:
    """What one person allowed one application for one channel. Access tokens live beside each other."""

    client_id: str
    channel_id: str
    scopes: list[str]
    refresh_token: str | None
    refresh_expires_at: datetime | None
    access: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False

    def new_access(self, now: datetime) -> str:
        token = f"ya29.a0{secrets.token_urlsafe(40)}"
        self.access[token] = now + timedelta(seconds=ACCESS_SECONDS)
        return token


@dataclass
class Video:
    """One video from its last byte on. The bytes are hashed as they come and not kept."""

    video_id: str
    channel_id: str
    snippet: dict[str, Any]
    status: dict[str, Any]
    paid_promotion: bool
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    processed_at: datetime
    planned: dict[str, Any] = field(default_factory=dict)
    thumbnail: tuple[str, int, str] | None = None
    """Digest, size and type of a thumbnail that was set."""
    post: Post | None = None
    """In the truth from the moment it was shown."""

    def upload_status(self, now: datetime) -> str:
        if now < self.processed_at:
            return "uploaded"
        if self.planned.get("rejection_reason"):
            return "rejected"
        failed = self.planned.get("failure_reason") or self.planned.get("processing_failure_reason")
        return "failed" if failed else "processed"

    @property
    def privacy(self) -> str:
        return str(self.status["privacyStatus"])


@dataclass
class Session:
    """A resumable upload that was started."""

    upload_id: str
    channel_id: str
    client_id: str
    parts: list[str]
    resource: dict[str, Any]
    size: int | None
    content_type: str
    started_at: datetime
    stored: int = 0
    digest: Hash = field(default_factory=hashlib.sha256)
    video_id: str | None = None


@dataclass
class Item:
    """A video's place in a playlist."""

    item_id: str
    video_id: str
    added_at: datetime


@dataclass
class Playlist:
    playlist_id: str
    channel_id: str
    title: str
    items: list[Item] = field(default_factory=list)


@dataclass
class Comment:
    comment_id: str
    video_id: str
    channel_id: str
    text: str
    written_at: datetime


class Quota:
    """A project's daily buckets; they are empty again at midnight of the Pacific zone."""

    MAXIMA = {"units": 10_000, "uploads": 100, "stats": 10_000}  # noqa: RUF012  # never changed

    def __init__(self) -> None:
        self.used: Counter[tuple[str, str, str]] = Counter()

    def exceeded(self, client_id: str, bucket: str, cost: int, now: datetime) -> bool:
        """Count a call; True if it does not fit into the day any more."""
        key = (client_id, bucket, now.astimezone(PACIFIC).date().isoformat())
        self.used[key] += cost
        return self.used[key] > self.MAXIMA[bucket]


def new_video_id() -> str:
    return secrets.token_urlsafe(16)[:11]


def told(moment: datetime) -> str:
    """A time as Google writes it."""
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")
