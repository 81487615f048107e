"""A removal: one published post on its way off the platform again, by a person's wish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from kit.problems import Conflict
from platforms.errors import Misconfigured, PlatformError, RateLimited, Rejected
from platforms.removal import NO_CALL, PERMISSION_MISSING
from platforms.removal import Removal as Rules
from platforms.shape import NotThere, Removed

from publisher.domain.publication import Publication, State
from publisher.domain.waiting import FAILURES_MAX, PAUSE_MIN, backoff
from publisher.domain.words import (
    ADVICE,
    CONNECTION_REVOKED,
    PLATFORM_UNAVAILABLE,
    REAUTH_REQUIRED,
    STILL_PROCESSING,
    as_word,
)

WITHIN = timedelta(hours=48)
"""How long rate limits and a neighbour that is away are waited for: a platform's limit of a day, and a day more."""

REFRESHING_PAUSE = timedelta(seconds=1)
"""auth renews the grant; that takes as long as one call to the platform."""

_NOT_OFFERED = "This platform lets only a person remove a post: do it there."


class RemovalState(StrEnum):
    """`asked` and `removing` are on their way. `not_possible`: only a person can do it, on the platform itself."""

    ASKED = "asked"
    REMOVING = "removing"
    REMOVED = "removed"
    NOT_POSSIBLE = "not_possible"
    FAILED = "failed"


class NothingPublished(Conflict):
    """`detail` says what to do instead."""

    code = "nothing-published"
    title = "There is no published post to remove"


class PostUnidentified(Conflict):
    code = "post-unidentified"
    title = "It is not known which post on the platform this is"


@dataclass(frozen=True)
class Removal:
    """One row. `tries` counts calls that came to nothing; `claim` is the worker that has it now."""

    publication_id: UUID
    workspace_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    state: RemovalState
    tries: int = 0
    next_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
    advice: str | None = None
    evidence: Mapping[str, Any] | None = None
    claim: UUID | None = None
    leased_until: datetime | None = None

    @property
    def settled(self) -> bool:
        """Asking again changes nothing: it is under way, or done."""
        return self.state not in (RemovalState.FAILED, RemovalState.NOT_POSSIBLE)

    def removed(self, outcome: Removed | NotThere, now: datetime) -> Removal:
        found = {"found": isinstance(outcome, Removed)}
        return self._end(RemovalState.REMOVED, now, evidence=dict(outcome.evidence) | found)

    def failed(self, error: PlatformError, rules: Rules | None, now: datetime) -> Removal:
        """What an error of the platform means. What is final says where a person can do it."""
        by_hand = rules.advice if rules else _NOT_OFFERED
        match error:
            case RateLimited():
                return self.later(now, code=error.code, detail=error.detail, at=error.until, by_hand=by_hand)
            case Rejected() if error.code in (PERMISSION_MISSING, NO_CALL):
                told = {"code": error.code, "detail": error.detail, "advice": error.advice}
                return self._end(RemovalState.NOT_POSSIBLE, now, **told)
            case Rejected() | Misconfigured():
                told = {"code": as_word(error.code), "detail": error.detail, "advice": by_hand}
                return self._end(RemovalState.FAILED, now, **told)
            case _:
                return self.again(now, code=error.code, detail=error.detail, by_hand=by_hand)

    def refused(self, code: str, rules: Rules | None, now: datetime) -> Removal:
        """auth lends no grant."""
        by_hand = rules.advice if rules else _NOT_OFFERED
        match code:
            case "refreshing":
                return self.later(now, code=code, at=now + REFRESHING_PAUSE, by_hand=by_hand)
            case "reauth_required":
                advice = f"Connect the account again, then ask once more. Or: {by_hand}"
                return self._end(RemovalState.FAILED, now, code=REAUTH_REQUIRED, advice=advice)
            case _:
                return self._end(RemovalState.FAILED, now, code=CONNECTION_REVOKED, advice=by_hand)

    def again(self, now: datetime, *, code: str, detail: str | None = None, by_hand: str) -> Removal:
        """It came to nothing, or nobody knows: a removal may be repeated, so it is, some times."""
        tries = self.tries + 1
        if tries >= FAILURES_MAX:
            told = {"code": PLATFORM_UNAVAILABLE, "detail": detail, "advice": by_hand}
            return replace(self, tries=tries)._end(RemovalState.FAILED, now, **told)
        return replace(self, tries=tries, code=as_word(code), detail=detail, next_at=now + backoff(tries))

    def later(
        self, now: datetime, *, code: str, at: datetime | None = None, detail: str | None = None, by_hand: str
    ) -> Removal:
        """It cannot be tried before `at`, which is no failure."""
        at = max(at, now + PAUSE_MIN) if at else now + backoff(FAILURES_MAX)
        if at > self.asked_at + WITHIN:
            return self._end(RemovalState.FAILED, now, code=as_word(code), detail=detail, advice=by_hand)
        return replace(self, code=as_word(code), detail=detail, next_at=at)

    def _end(self, state: RemovalState, now: datetime, **told: Any) -> Removal:
        cleared = {"code": None, "detail": None, "advice": None, "next_at": None} | told
        return replace(self, state=state, ended_at=now, **cleared)


def asked(publication: Publication, rules: Rules | None, *, by: UUID, now: datetime) -> Removal:
    """A person wants it off the platform. Raises `NothingPublished`, `PostUnidentified`."""
    if publication.state is not State.PUBLISHED:
        raise NothingPublished(_instead(publication))
    if publication.platform_post_id is None:
        where = f" It should be at {publication.url}." if publication.url else ""
        raise PostUnidentified("The platform has not told its id. Remove it there yourself." + where)
    removal = Removal(
        publication_id=publication.publication_id,
        workspace_id=publication.workspace_id,
        asked_by=by,
        asked_at=now,
        state=RemovalState.ASKED,
        next_at=now,
    )
    if rules is not None and rules.offered:
        return removal
    return replace(
        removal,
        state=RemovalState.NOT_POSSIBLE,
        next_at=None,
        ended_at=now,
        code=NO_CALL,
        advice=rules.advice if rules else _NOT_OFFERED,
    )


def _instead(publication: Publication) -> str:
    match publication.state:
        case State.PLANNED | State.STAGING | State.STAGED:
            return "It is not out yet: cancel its schedule."
        case State.PUBLISHING | State.PROCESSING | State.OUTCOME_UNKNOWN:
            return "It is going out just now: ask again when it is published."
        case State.NEEDS_ATTENTION:
            return "Nobody knows whether it is out: " + ADVICE[STILL_PROCESSING]
        case _:
            return "It did not go out."
