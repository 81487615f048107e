"""What is found out minutes ahead: rules that a post breaks by now, and what may keep it when its time comes. Pure.

What cannot heal fails at once. What may heal is a warning: the publication goes on, and its code says what to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from platforms.errors import Misconfigured
from platforms.platform import Platform
from platforms.shape import Delivery, Grant, Violation

from publisher.domain.approval import Unsendable
from publisher.domain.budget import Shortage
from publisher.domain.publication import Publication
from publisher.domain.words import ADVICE, BREAKS_RULES, BUDGET_SHORT, CONNECTION_ENDS, VERSION_ENDED

VIOLATIONS_TOLD_MAX = 5
"""A person mends one after the other, and sees the next ones then."""


def refuse_what_cannot_go_out(platform: Platform, delivery: Delivery) -> None:
    """Raise `Unsendable` if the post breaks a rule of the platform: limits may have changed since it was scheduled.

    Raises `Misconfigured` if the platform will not understand us any more when it is due.
    """
    limits = platform.limits
    if limits.sunset and limits.sunset <= delivery.planned_at.astimezone(UTC).date():
        raise Misconfigured(VERSION_ENDED, _ended(platform, limits.sunset))
    broken = platform.check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Unsendable(BREAKS_RULES, _told(broken))


def warned_of_budget(publication: Publication, foreseen: Shortage | None) -> Publication:
    """With a warning if publishing will lack budget when it is due; without the one of before if not."""
    if foreseen is not None:
        return _warned(publication, BUDGET_SHORT, f"{foreseen.detail}; probably until {_minute(foreseen.until)}")
    if publication.code == BUDGET_SHORT:
        return replace(publication, code=None, detail=None, advice=None)
    return publication


def warned_of_end(publication: Publication, grant: Grant) -> Publication:
    """With a warning if the connection's access ends before it is due.

    auth renews it earlier than this if it can; a person who authorises again is in time, too.
    """
    ends_at = max(grant.expires_at, grant.refresh_expires_at or grant.expires_at)
    if publication.due or ends_at >= publication.due_at:
        return publication
    return _warned(publication, CONNECTION_ENDS, f"the access to the account ends at {_minute(ends_at)}")


def _warned(publication: Publication, code: str, detail: str) -> Publication:
    return replace(publication, code=code, detail=detail, advice=ADVICE[code])


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")


def _ended(platform: Platform, sunset: date) -> str:
    return f"{platform.name} answers version {platform.limits.api_version} only until {sunset.isoformat()}"


def _told(broken: Sequence[Violation]) -> str:
    told = "; ".join(f"{each.pointer}: {each.detail}" for each in broken[:VIOLATIONS_TOLD_MAX])
    more = len(broken) - VIOLATIONS_TOLD_MAX
    return f"{told}; and {more} more" if more > 0 else told
