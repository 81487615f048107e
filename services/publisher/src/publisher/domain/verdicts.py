"""What each answer means for a publication. Pure: the row before, the answer and the time give the row after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
)
from platforms.shape import Absent, Finding, Outcome, Processing, Published, Receipt, Refused, Undecided

from publisher.domain.publication import LEASE, IllegalMove, Publication, State
from publisher.domain.waiting import (
    ASKING_MAX,
    FAILURES_MAX,
    IDENTIFY_FIRST,
    ask_id_later,
    ask_later,
    attention,
    backoff,
    fail,
    hold,
    miss,
    retry,
)
from publisher.domain.words import (
    CONNECTION_REVOKED,
    PLATFORM_UNAVAILABLE,
    STILL_PROCESSING,
    TOO_LATE,
    WARNINGS,
    as_word,
)

RECONCILE_AFTER = timedelta(seconds=1)
"""A request that went unanswered may still be under way."""

ASK_MAX = timedelta(minutes=5)
POST_ID_MAX = 300
_OPERATOR = "An operator must correct the application's settings at the platform."


def begin_staging(publication: Publication, platform: str) -> Publication:
    """The revision says for which platform it was approved, which an early event may not have known."""
    publication = replace(publication, platform=platform)
    if publication.state is not State.PLANNED:
        return publication
    # While it is held the reason stays; auth has the last word on it in this very step.
    kept = {name: getattr(publication, name) if publication.held else None for name in ("code", "detail", "advice")}
    return publication.become(State.STAGING, **kept)


def staged(publication: Publication, now: datetime) -> Publication:
    """Everything invisible is done; go on at once if it is due. Until then a warning stays."""
    warns = publication.code in WARNINGS and not publication.due
    kept = {name: getattr(publication, name) if warns else None for name in ("code", "detail", "advice")}
    return publication.become(
        State.STAGED,
        failures=0,
        staged_at=publication.staged_at or now,
        next_at=now if publication.due else None,
        **kept,
    )


def intend(publication: Publication, now: datetime) -> Publication:
    """The step that shows the post comes next. The row stays claimable: its lease running out means a crash.

    The lease begins anew, because what is asked of the platform must be asked within it. After its window the
    publication becomes `missed` instead.
    """
    if not publication.due:
        raise IllegalMove("nothing is published before its time")
    if now > publication.window_ends_at:
        return miss(publication, code=publication.code or TOO_LATE, detail=publication.detail)
    return publication.become(
        State.PUBLISHING,
        attempts=publication.attempts + 1,
        attempted_at=now,
        # As it is, it is claimable; a column less to write and to index in the busiest second.
        next_at=publication.next_at or now,
        leased_until=now + LEASE,
        held=False,
    )


def published(publication: Publication, receipt: Receipt, now: datetime) -> Publication:
    post_id = receipt.post_id if receipt.post_id and len(receipt.post_id) <= POST_ID_MAX else None
    return publication.become(
        State.PUBLISHED,
        published_at=now,
        platform_post_id=post_id,
        url=receipt.url,
        evidence=dict(receipt.evidence),
        failures=0,
        held=False,
        next_at=None if post_id else now + IDENTIFY_FIRST,
    )


def unknown(publication: Publication, now: datetime, *, code: str, detail: str | None = None) -> Publication:
    return publication.become(
        State.OUTCOME_UNKNOWN, code=as_word(code), detail=detail, failures=0, next_at=now + RECONCILE_AFTER
    )


def answered(publication: Publication, outcome: Outcome, now: datetime) -> Publication:
    """The platform answered the step that shows the post, or a question about it."""
    match outcome:
        case Published(receipt):
            return published(publication, receipt, now)
        case Processing():
            return _processing(publication, outcome, now)
        case Refused(code, detail, advice, repeatable):
            if repeatable:
                return retry(publication, now, code=code, detail=detail)
            return fail(publication, code=code, detail=detail, advice=advice)


def found(publication: Publication, finding: Finding, now: datetime) -> Publication:
    """A look-up after an unknown outcome came back."""
    match finding:
        case Absent(evidence):
            if publication.tries >= FAILURES_MAX:
                return fail(publication, code=PLATFORM_UNAVAILABLE)
            again_at = now + backoff(publication.tries)
            if again_at > publication.window_ends_at:
                return replace(miss(publication, code="absent"), evidence=dict(evidence))
            return publication.become(State.STAGING, code="absent", evidence=dict(evidence), next_at=again_at)
        case Undecided(evidence):
            return attention(publication, code="undecided", evidence=dict(evidence))
        case _:
            return answered(publication, finding, now)


def identified(publication: Publication, outcome: Outcome, now: datetime) -> Publication:
    """A published post's id was asked for again."""
    if isinstance(outcome, Published) and outcome.receipt.post_id and len(outcome.receipt.post_id) <= POST_ID_MAX:
        receipt = outcome.receipt
        return replace(
            publication,
            platform_post_id=receipt.post_id,
            url=receipt.url or publication.url,
            evidence=dict(receipt.evidence),
            next_at=None,
        )
    return ask_id_later(publication, now)


def failed_before_effect(publication: Publication, error: PlatformError, now: datetime) -> Publication:
    """A step was refused, or failed, and provably showed nothing."""
    match error:
        case RateLimited():
            return retry(publication, now, code=error.code, detail=error.detail, at=error.until)
        case ReauthorisationNeeded():
            return hold(publication, now, detail=error.detail)
        case Rejected():
            return fail(publication, code=error.code, detail=error.detail, advice=error.advice)
        case Misconfigured():
            return fail(publication, code=error.code, detail=error.detail, advice=_OPERATOR)
        case OutcomeUnknown() if publication.state is State.PUBLISHING:
            return unknown(publication, now, code=error.code, detail=error.detail)
        case _:
            return retry(publication, now, code=error.code, detail=error.detail)


def failed_to_ask(publication: Publication, error: PlatformError, now: datetime) -> Publication:
    """A question about an accepted or unanswered post came to nothing; the doubt stays."""
    if publication.state is State.PUBLISHED:
        return ask_id_later(publication, now)
    match error:
        case RateLimited():
            return ask_later(publication, now, at=error.until)
        case ReauthorisationNeeded():
            return hold(publication, now, detail=error.detail)
        case Rejected():
            evidence = dict(publication.evidence or {}) | {"detail": error.detail}
            return attention(publication, code=error.code, evidence=evidence)
        case _:
            return ask_later(publication, now)


def revoked(publication: Publication) -> Publication:
    """The connection is gone for good. What may be out already is for a person to look at."""
    if publication.state in (State.PROCESSING, State.OUTCOME_UNKNOWN):
        return attention(publication, code=CONNECTION_REVOKED, evidence=dict(publication.evidence or {}))
    if publication.state is State.PUBLISHED:
        return replace(publication, next_at=None)
    return publication.cancel(CONNECTION_REVOKED)


def _processing(publication: Publication, processing: Processing, now: datetime) -> Publication:
    """Ask again soon, and ever more rarely the longer it takes."""
    assert publication.attempted_at is not None
    elapsed = now - publication.attempted_at
    evidence = dict(processing.evidence) or publication.evidence
    if elapsed > ASKING_MAX and publication.state is State.PROCESSING:
        return attention(publication, code=STILL_PROCESSING, evidence=dict(evidence or {}))
    next_at = now + min(max(timedelta(seconds=processing.ask_again_seconds), elapsed / 10), ASK_MAX)
    if publication.state is State.PROCESSING:
        return replace(publication, failures=0, next_at=next_at, evidence=evidence)
    return publication.become(State.PROCESSING, failures=0, next_at=next_at, evidence=evidence)
