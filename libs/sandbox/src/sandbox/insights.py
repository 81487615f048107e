"""Counts that grow with a post's age: the same post at the same age always has the same numbers."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime


def audience(post_id: str, *, posted_at: datetime, now: datetime) -> int:
    """How many people a post has reached.

    It grows with the square root of the age in seconds, so that a demo sees movement within seconds and a
    month-old post stays believable (3 to 20 people at one second, up to 32,000 after 30 days).
    """
    age_seconds = max((now - posted_at).total_seconds(), 0.0)
    rate = 3 + draw(post_id, "audience") % 18
    return int(rate * math.sqrt(age_seconds))


def share_of(reached: int, post_id: str, kind: str, *, permille: int) -> int:
    """How many of those did something; about `permille` of a thousand, varying by half from post to post."""
    return reached * (permille + draw(post_id, kind) % (permille + 1)) // 1500


def draw(post_id: str, purpose: str) -> int:
    """A number that only depends on its arguments."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{post_id}".encode()).digest()[:4])
