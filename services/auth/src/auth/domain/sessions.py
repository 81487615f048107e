"""Sessions: the opaque token a browser holds, and how long it opens anything."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from contracts.access import Role
from kit.secret import Secret

TOKEN_BYTES = 32
"""256 bits: guessing is hopeless, so an unsalted fast hash is enough to store."""

IDLE_LIFETIME = timedelta(days=14)
"""A session that was not used this long is over."""

LIFETIME = timedelta(days=30)
"""However busy, a session ends after this and the person signs in again."""

AT_MOST = 50
"""Sessions of one person at a time: more browsers than anybody has. The oldest ends for a new one."""

TOUCH_EVERY = timedelta(minutes=1)
"""The last use is written at most this often, so that reading does not become writing."""


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    session_id: UUID
    account_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class OwnSession:
    """A session as its holder sees it. `strong`: a second factor was given. Null: not known."""

    session_id: UUID
    device: str | None
    client_address: str | None
    strong: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    @property
    def idle_ends_at(self) -> datetime:
        """When it ends if it is not used."""
        return min(self.expires_at, self.last_used_at + IDLE_LIFETIME)


@dataclass(frozen=True)
class Proof:
    """When a session's holder last proved that it is them, and whether they ever gave a second factor in it."""

    proved_at: datetime | None
    strong: bool


@dataclass(frozen=True)
class Holder:
    """Who holds a session token, and what they are in the workspace that was asked for.

    `second_factor_missing`: that workspace wants one, and none was given in this session.
    """

    session_id: UUID
    account_id: UUID
    last_used_at: datetime
    expires_at: datetime
    role: str | None
    second_factor_missing: bool

    def is_alive(self, now: datetime) -> bool:
        return now < self.expires_at and now < self.last_used_at + IDLE_LIFETIME

    def is_stale(self, now: datetime) -> bool:
        """Whether the last use should be written."""
        return now >= self.last_used_at + TOUCH_EVERY

    def as_member(self) -> Role | None:
        return Role(self.role) if self.role else None


def new_token() -> Secret:
    return Secret(secrets.token_urlsafe(TOKEN_BYTES))


def hash_of(token: Secret) -> bytes:
    """What is stored of a token: a database that leaks opens nothing."""
    return hashlib.sha256(token.reveal().encode()).digest()
