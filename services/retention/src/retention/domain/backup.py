"""Backups: what is in them, how often they are taken, when they are destroyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from retention.domain.policy import Rotation

NEVER_BACKED_UP: Mapping[str, Sequence[str]] = MappingProxyType(
    {"auth": ("authorisation", "late_revocation", "data_key"), "retention": ("backup_part", "backup")}
)
"""Tables whose rows are left out, by database.

An `authorisation`, which lives ten minutes, and a `late_revocation`, seven days, hold a ciphertext with its key.
`data_key` is where keys lay before they got a database of their own.

What retention knows of backups is read from the archive after a restore: as of its own backup, the backup
would still be under way, and later ones unknown and never destroyed.
"""

KEY_STORES = frozenset({"auth_keys"})
"""Databases of keys. Each connection's tokens are encrypted with a key of its own there, and a destroyed key makes
every older ciphertext in every backup unreadable, as soon as the key's own backups are gone."""


def rotation_of(store: str) -> Rotation:
    """By which clock a database's backups rotate."""
    return Rotation.KEYS if store in KEY_STORES else Rotation.DATA


STALE = timedelta(hours=6)
"""A backup that is still being taken after this belongs to a process that is gone."""

RETRY_AFTER = timedelta(minutes=10)

PART_BYTES_MAX = 1024**4
"""One database's dump. More is a sign of something else than our data."""


class DumpFailed(Exception):
    """A database could not be dumped; the message holds the tool's last line."""


@dataclass(frozen=True)
class Part:
    """One service's dump in the archive."""

    service: str
    object_key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Lies beside the parts of a backup that is whole."""

    backup_id: UUID
    rotation: Rotation
    taken_at: datetime
    expires_at: datetime
    parts: Sequence[Part]


BACKUPS = "backups/"


def prefix_of(backup_id: UUID) -> str:
    return f"{BACKUPS}{backup_id}/"


def key_of(backup_id: UUID, service: str) -> str:
    return f"{prefix_of(backup_id)}{service}.dump"
