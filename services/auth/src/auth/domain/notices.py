"""What platforms tell of people who leave: how long it is kept, what it ends, and how a request for deletion stands."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from kit.problems import Problem

WEBHOOK_BYTES_MAX = 256 * 1024
"""A thousand changes of Meta in one request, the most that any platform sends, are below this."""

QUERY_CHARACTERS_MAX = 2_000
"""A challenge is some dozens of characters long; nothing longer is read, signed or sent back."""

NOTICES_KEPT = timedelta(days=28)
"""Platforms repeat for three days. Less than the 29 days after which an erasure is done, so that one which a notice
names is still going to be told when a request for deletion takes it over."""

REQUESTS_KEPT = timedelta(days=365)
"""A page stays long after the last backup is gone, for who comes back with their code."""

ERASED_WITHIN = timedelta(days=30)
BACKUPS_WITHIN = timedelta(days=90)
"""What is promised: of live data from the end of a connection, of backups from its erasure."""

_CODE = re.compile(r"[0-9a-f]{32}", re.ASCII)


class NoticeRefused(Problem):
    """The same words whatever is wrong: the platform, the signature, the address or the form."""

    status = HTTPStatus.FORBIDDEN
    code = "notice-refused"
    title = "This is not from the platform, or not meant for us"


@dataclass(frozen=True)
class Removal:
    """A platform told that a person left. The hashes are keyed; `code` is there if they asked for deletion."""

    platform: str
    notice_hash: bytes
    person_hash: bytes
    code: str | None


@dataclass(frozen=True)
class DeletionPart:
    """One erasure of a request. `erased_at`: from every live store; `final_at`: from every backup too."""

    erasure_id: UUID
    erased_at: datetime | None
    final_at: datetime | None


@dataclass(frozen=True)
class DeletionRequest:
    """How a request for deletion stands. Without parts nothing of the person was held when it came."""

    code: str
    platform: str
    requested_at: datetime
    parts: Sequence[DeletionPart]

    @property
    def erased_by(self) -> datetime:
        """When the last part was erased, or will be at the latest."""
        promised = self.requested_at + ERASED_WITHIN
        return max((part.erased_at or promised for part in self.parts), default=self.requested_at)

    @property
    def is_erased(self) -> bool:
        return all(part.erased_at for part in self.parts)

    @property
    def is_final(self) -> bool:
        return all(part.final_at for part in self.parts)


def new_code() -> str:
    """Who has it can look; it cannot be guessed."""
    return secrets.token_hex(16)


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None
