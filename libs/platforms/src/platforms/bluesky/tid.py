"""Record keys (TIDs) derived from what a publication is, so that every attempt writes the same record."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(microseconds: int, clock_id: int) -> str:
    """13 characters for 64 bits: a zero, 53 bits of microseconds since 1970, 10 bits of clock id."""
    if not 0 <= microseconds < 1 << 53 or not 0 <= clock_id < 1 << 10:
        raise ValueError("a TID holds 53 bits of time and 10 bits of clock id")
    value = microseconds << 10 | clock_id
    return "".join(ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))


def tid_for(planned_at: datetime, publication_id: UUID, position: int = 0) -> str:
    """The key of one publication's post; a thread's further ones follow it by a microsecond each.

    Posts are planned to the second, so many share their time. The microseconds below the millisecond and the
    clock id are therefore taken from the id's hash: about a million keys for the same millisecond.
    """
    noise = int.from_bytes(hashlib.sha256(publication_id.bytes).digest()[:4])
    elapsed = planned_at - EPOCH
    milliseconds = (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
    return encode(milliseconds * 1000 + noise // 1024 % 1000 + position, noise % 1024)
