"""Reasons: machine-readable codes, and what a person can do about those of our own making."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

CONNECTION_REVOKED = "connection_revoked"
REAUTH_REQUIRED = "reauth_required"
SEAL_MISMATCH = "seal_mismatch"
PLATFORM_UNAVAILABLE = "platform_unavailable"
TOO_LATE = "too_late"
STILL_PROCESSING = "still_processing"
BUDGET = "budget"
BREAKS_RULES = "breaks_rules"
VERSION_ENDED = "platform_version_ended"
BUDGET_SHORT = "budget_short"
CONNECTION_ENDS = "connection_ends"

WARNINGS = frozenset({BUDGET_SHORT, CONNECTION_ENDS})
"""Of what may keep a post when its time comes, told while it waits for it."""
WINDOW_HELD = "window_held"
WINDOW_DROPPED = "window_dropped"
BEGUN = "begun"
TAKEN_BACK_BEGUN = "taken_back_begun"

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        REAUTH_REQUIRED: "Connect the account again; the post goes out as soon as that is done.",
        SEAL_MISMATCH: "Have the post approved again; it differs from what was approved.",
        PLATFORM_UNAVAILABLE: "Schedule the post again once the platform works.",
        "media_missing": "Upload the media again and have the post approved.",
        WINDOW_HELD: "Its window has passed: let it go out now, or give it up.",
        WINDOW_DROPPED: "Its window has passed and it was to be dropped then; schedule it again if it is still wanted.",
        BEGUN: "Try it again here and not as a new post: what is out of it already, of a thread say, is not repeated.",
        TAKEN_BACK_BEGUN: "Look on the platform whether something of it is out: it had been tried.",
        BUDGET: "Nothing is to be done: it goes out as soon as the platform allows more, if that is in its window.",
        BREAKS_RULES: "Change the post and have it approved again; the platform would refuse it.",
        BUDGET_SHORT: "It will go out later than planned, if its window allows; move it, or leave out another one.",
        CONNECTION_ENDS: "Connect the account again before the post is due.",
        STILL_PROCESSING: "Look on the platform whether the post is there.",
        CONNECTION_REVOKED: "Look on the platform whether the post is there; we can no longer ask.",
    }
)

_WORD_MAX = 100


def advice_on(code: str, *, begun: bool) -> str | None:
    """What a person can do. `begun`: a visible step was tried, so that a new post may repeat what is out."""
    return ADVICE[BEGUN] if begun and code in (PLATFORM_UNAVAILABLE, WINDOW_DROPPED) else ADVICE.get(code)


def as_word(code: str) -> str:
    """A platform's code as events spell codes: lower case, no spaces."""
    word = re.sub(r"[^a-z0-9_.-]+", "_", code.lower()).lstrip("_.-")[:_WORD_MAX]
    return word or "unknown"
