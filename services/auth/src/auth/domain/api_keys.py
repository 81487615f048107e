"""Keys for programs: each is its person in one workspace, made smaller."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from contracts.access import PERMISSIONS, PERSONAL, Permission, Role
from contracts.api_keys import ALPHABET, PREFIX_CHARACTERS, SECRET_CHARACTERS, compose
from kit.passport import KeyLimits
from kit.problems import Conflict, Invalid, Problem
from kit.secret import Secret

LIFETIME = timedelta(days=90)
"""How long a key is good if nothing else is said: long enough to be of use, short enough to be replaced by habit."""

LIFETIME_MAX = timedelta(days=365)
"""A key that nobody has thought of for a year is one that nobody would miss, or notice stolen."""

OVERLAP_MAX = timedelta(days=7)
"""How long an old secret may work beside its successor: a week to reach every machine that has it."""

KEYS_MAX = 50
"""Keys of one workspace that work at the same time: far more than it has programs, few enough to look through."""

CONNECTIONS_MAX = 50
"""Connections that one key can be bound to. They travel in each of its passports, at 40 bytes each."""

KEPT = timedelta(days=90)
"""How long a key that has ended is still listed, so that one can see when it was used last."""

TOUCH_EVERY = timedelta(minutes=1)
"""The last use is written at most this often, so that reading does not become writing."""


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TooManyKeys(Conflict):
    code = "too-many-keys"
    title = f"A workspace has at most {KEYS_MAX} API keys that work"


class KeyEnded(Conflict):
    code = "key-ended"
    title = "This key has ended; make a new one"


class NotTheirKey(Problem):
    """A new secret acts in the name of the key's person, so nobody else may have it."""

    status = HTTPStatus.FORBIDDEN
    code = "not-your-key"
    title = "Only who made a key gets a new secret for it"


@dataclass(frozen=True)
class ApiKey:
    """A key as its workspace sees it: everything but the secret. `connection_ids`: None where it reaches all."""

    key_id: UUID
    name: str
    prefix: str
    permissions: list[str]
    connection_ids: list[UUID] | None
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.ACTIVE if now < self.expires_at else KeyState.EXPIRED


@dataclass(frozen=True)
class KeyHash:
    """What is stored of a secret, and under which pepper."""

    pepper_id: str
    value: bytes


@dataclass(frozen=True)
class KeyHolder:
    """Whose key a secret is, what it permits, and what its person is in its workspace at this moment."""

    key_id: UUID
    account_id: UUID
    workspace_id: UUID
    permissions: list[str]
    connection_ids: list[UUID] | None
    last_used_at: datetime | None
    expires_at: datetime
    role: str
    key_hash: bytes
    pepper_id: str

    def is_stale(self, now: datetime) -> bool:
        """Whether the last use should be written."""
        return self.last_used_at is None or now >= self.last_used_at + TOUCH_EVERY

    def as_member(self) -> Role:
        return Role(self.role)

    def limits(self) -> KeyLimits:
        """What the key can do now: never more than its person, and nothing that a later release has no word for."""
        granted = PERMISSIONS[self.as_member()] - PERSONAL
        reach = None if self.connection_ids is None else frozenset(self.connection_ids)
        return KeyLimits(self.key_id, frozenset(p for p in granted if p.value in self.permissions), reach)


def new_secret() -> tuple[str, Secret]:
    """A prefix to show and the whole key."""
    prefix, secret = _random(PREFIX_CHARACTERS), _random(SECRET_CHARACTERS)
    return f"so_{prefix}", Secret(compose(prefix, secret))


def check_permissions(wanted: Sequence[Permission], role: Role) -> None:
    """Raise `Invalid` for every permission that a key of this person cannot have."""
    errors = []
    for index, permission in enumerate(wanted):
        if permission in PERSONAL:
            errors.append({"pointer": f"/permissions/{index}", "detail": "No key can have this permission."})
        elif permission not in PERMISSIONS[role]:
            errors.append({"pointer": f"/permissions/{index}", "detail": "You do not have this permission yourself."})
    if errors:
        raise Invalid(errors=errors)


def check_connections(wanted: Sequence[UUID] | None, known: Collection[UUID]) -> None:
    """Raise `Invalid` for every connection that the workspace does not have."""
    errors = [
        {"pointer": f"/connection_ids/{index}", "detail": "This workspace has no such connection."}
        for index, connection_id in enumerate(wanted or ())
        if connection_id not in known
    ]
    if errors:
        raise Invalid(errors=errors)


def expiry(wanted: datetime | None, now: datetime) -> datetime:
    """When a key ends; raises `Invalid` for a time that has passed or is too far."""
    if wanted is None:
        return now + LIFETIME
    if not now < wanted <= now + LIFETIME_MAX:
        detail = f"A key ends in the future, within {LIFETIME_MAX.days} days."
        raise Invalid(errors=[{"pointer": "/expires_at", "detail": detail}])
    return wanted


def _random(characters: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(characters))
