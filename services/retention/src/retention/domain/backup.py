"""Backups: what is in them, how often they are taken, when they are destroyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

NEVER_BACKED_UP: Mapping[str, Sequence[str]] = MappingProxyType(
    {"auth": ("data_key",), "retention": ("backup_part", "backup")}
)
"""Tables whose rows are left out, by service.

Each connection's tokens are encrypted with a key of its own in auth's `data_key`. Without those rows a
destroyed key makes every older ciphertext in every backup unreadable. A restored system asks people to
authorise their connections again.

What retention knows of backups is read from the archive after a restore: as of its own backup, the backup
would still be under way, and later ones unknown and never destroyed.
"""

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
    taken_at: datetime
    expires_at: datetime
    parts: Sequence[Part]


BACKUPS = "backups/"


def prefix_of(backup_id: UUID) -> str:
    return f"{BACKUPS}{backup_id}/"


def key_of(backup_id: UUID, service: str) -> str:
    return f"{prefix_of(backup_id)}{service}.dump"
