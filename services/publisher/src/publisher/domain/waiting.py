"""Why a publication waits, is given up or handed to a person. Pure, like `domain.verdicts`, which stands on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from contracts.scheduler import WHEN_MISSED_DROP

from publisher.domain.budget import Shortage
from publisher.domain.publication import BEFORE_INTENT, GIVEN_UP, Publication, State, stage_at
from publisher.domain.words import (
    ADVICE,
    BUDGET,
    PLATFORM_UNAVAILABLE,
    REAUTH_REQUIRED,
    STILL_PROCESSING,
    WINDOW_DROPPED,
    WINDOW_HELD,
    advice_on,
    as_word,
)

FAILURES_MAX = 8
"""Steps in a row, or intents in all, that may come to nothing: with doubling pauses about eight minutes."""

BACKOFF_FIRST = timedelta(seconds=2)
BACKOFF_MAX = timedelta(minutes=5)

HELD_ASK_AGAIN = timedelta(minutes=5)
"""auth tells when a connection works again; asking besides mends a missed or misordered event."""

PAUSE_MIN = timedelta(seconds=1)
"""A platform that says "now" after refusing is not asked in a tight loop."""

ASKING_MAX = timedelta(hours=24)
"""How long a platform is asked what became of an accepted post."""

IDENTIFY_FIRST = timedelta(seconds=5)
IDENTIFY_MAX = timedelta(hours=1)


def ask_id_later(publication: Publication, now: datetime) -> Publication:
    assert publication.published_at is not None
    elapsed = now - publication.published_at
    if elapsed > ASKING_MAX:
        return replace(publication, next_at=None)
    return replace(publication, next_at=now + min(max(elapsed / 10, IDENTIFY_FIRST), IDENTIFY_MAX))


def ask_later(publication: Publication, now: datetime, *, at: datetime | None = None) -> Publication:
    if publication.state is State.PUBLISHED:
        return ask_id_later(publication, now)
    if publication.attempted_at is not None and now - publication.attempted_at > ASKING_MAX:
        return attention(publication, code=STILL_PROCESSING, evidence=dict(publication.evidence or {}))
    failures = publication.failures + 1
    return replace(publication, failures=failures, next_at=at or now + backoff(failures))


def retry(
    publication: Publication,
    now: datetime,
    *,
    code: str,
    detail: str | None = None,
    at: datetime | None = None,
    counts: bool = True,
) -> Publication:
    """Try again from staging, which goes on where it stopped.

    `at` is when the platform allows it: such a wait is no failure. `counts`: whether it is one at all.
    Failures before the time do not end it, because there is time left.
    """
    word = as_word(code)
    failures = publication.failures + (counts and at is None)
    exhausted = failures >= FAILURES_MAX or publication.tries >= FAILURES_MAX
    if exhausted and counts and at is None and publication.due:
        return fail(publication, code=PLATFORM_UNAVAILABLE, detail=detail)
    next_at = max(at, now + PAUSE_MIN) if at else now + max(backoff(failures), PAUSE_MIN)
    if next_at > publication.window_ends_at:
        return miss(publication, code=code, detail=detail)
    changes: dict[str, Any] = {"code": word, "detail": detail, "advice": None, "failures": failures, "next_at": next_at}
    if publication.state in (State.PUBLISHING, State.PROCESSING, State.OUTCOME_UNKNOWN):
        return publication.become(State.STAGING, **changes)
    return replace(publication, **changes)


def wait_for_budget(publication: Publication, now: datetime, shortage: Shortage) -> Publication:
    """Its next step takes more than the platform allows now. At the end of its window it looks once more."""
    at = min(shortage.until, max(shortage.earliest, publication.window_ends_at))
    waiting = retry(publication, now, code=BUDGET, detail=shortage.detail, at=at)
    return replace(waiting, advice=ADVICE[BUDGET]) if waiting.state is publication.state else waiting


def hold(publication: Publication, now: datetime, *, detail: str | None = None) -> Publication:
    """The connection needs a person: nothing is done with it until then."""
    if publication.state is State.PUBLISHED or publication.state in GIVEN_UP:
        return publication
    if now > publication.window_ends_at and publication.state in BEFORE_INTENT | {State.PUBLISHING}:
        return miss(publication, code=REAUTH_REQUIRED, detail=detail)
    waiting = publication.state is State.STAGED and not publication.due
    ask_again_at = max(now + HELD_ASK_AGAIN, publication.next_at or now)
    changes: dict[str, Any] = {
        "held": True,
        "code": REAUTH_REQUIRED,
        "detail": detail,
        "advice": ADVICE[REAUTH_REQUIRED],
        "next_at": None if waiting else ask_again_at,
    }
    if publication.state is State.PUBLISHING:
        return publication.become(State.STAGING, **changes)
    return replace(publication, **changes)


def resume(publication: Publication, now: datetime) -> Publication:
    """The connection works again."""
    if not publication.held:
        return publication
    match publication.state:
        case State.PLANNED:
            next_at: datetime | None = stage_at(publication.due_at, now)
        case State.STAGED if not publication.due:
            next_at = None
        case _:
            next_at = now
    return replace(publication, held=False, code=None, detail=None, advice=None, next_at=next_at)


def fail(publication: Publication, *, code: str, detail: str | None = None, advice: str | None = None) -> Publication:
    word = as_word(code)
    advice = advice or advice_on(word, begun=publication.attempts > 0)
    return publication.become(State.FAILED, code=word, detail=detail, advice=advice, next_at=None, held=False)


def miss(publication: Publication, *, code: str, detail: str | None = None) -> Publication:
    """Its window has passed. `code` is what kept it."""
    window = WINDOW_DROPPED if publication.when_missed == WHEN_MISSED_DROP else WINDOW_HELD
    advice = advice_on(window, begun=publication.attempts > 0)
    missed = publication.become(
        State.MISSED, code=as_word(code), detail=detail, advice=advice, next_at=None, held=False
    )
    # Also where the worker meant to go on with it.
    return missed.released()


def attention(publication: Publication, *, code: str, evidence: dict[str, Any]) -> Publication:
    word = as_word(code)
    return publication.become(
        State.NEEDS_ATTENTION,
        code=word,
        evidence=evidence,
        advice=ADVICE.get(word, ADVICE[STILL_PROCESSING]),
        next_at=None,
        held=False,
    )


def backoff(failures: int) -> timedelta:
    doublings = max(min(failures, 16) - 1, 0)
    return min(BACKOFF_FIRST * (1 << doublings), BACKOFF_MAX)
