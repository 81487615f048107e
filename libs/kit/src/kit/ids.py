"""Identifiers. Rows and events get time-ordered ones, so that indexes grow at one end."""

from __future__ import annotations

import os
import time
from collections import deque
from uuid import UUID

_RANDOM_BYTES = 10
_AT_ONCE = 256
"""Identifiers whose random parts are asked of the system together: a call costs more than its bytes."""

_random: deque[bytes] = deque()
os.register_at_fork(after_in_child=_random.clear)


def new_id() -> UUID:
    """A version 7 UUID (RFC 9562, section 5.7): 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(_random_part(), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value)


def _random_part() -> bytes:
    try:
        return _random.pop()
    except IndexError:
        fresh = os.urandom(_RANDOM_BYTES * _AT_ONCE)
        first, *others = (fresh[start : start + _RANDOM_BYTES] for start in range(0, len(fresh), _RANDOM_BYTES))
        _random.extend(others)
        return first
