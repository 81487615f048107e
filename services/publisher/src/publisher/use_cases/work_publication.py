"""One step of one claimed publication, and what every way of its ending means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from kit.problems import Unavailable
from platforms.errors import Misconfigured, PlatformError, RateLimited
from platforms.limits import Per

from publisher.domain.approval import Unsendable
from publisher.domain.budget import STEPS, Closure
from publisher.domain.publication import BEFORE_INTENT, Publication, State
from publisher.domain.verdicts import failed_before_effect, failed_to_ask, revoked, unknown
from publisher.domain.waiting import ask_later, attention, fail, hold, retry
from publisher.domain.words import as_word
from publisher.ports import ClaimLost, GrantRefused, Means, Verdict
from publisher.use_cases.ask_platform import ask_platform
from publisher.use_cases.publish_publication import publish_publication
from publisher.use_cases.settle import settle
from publisher.use_cases.stage_publication import Unfinished, stage_publication

log = structlog.get_logger("work")

REFRESHING_PAUSE = timedelta(seconds=1)
"""auth renews the grant; that takes as long as one call to the platform."""

ASKING = frozenset({State.PROCESSING, State.OUTCOME_UNKNOWN, State.PUBLISHED})

_FORESEEN = (PlatformError, Unsendable, GrantRefused, Unavailable, Unfinished)


async def work_publication(publication: Publication, *, means: Means) -> None:
    """Do the next step. Every failure becomes a state; a lost claim changes nothing."""
    try:
        await _step(publication)(publication, means=means)
    except ClaimLost:
        log.info("claim_lost", publication_id=str(publication.publication_id))
    except Exception as error:
        await _settle_failure(publication, error, means=means)


def _step(publication: Publication) -> Callable[..., Awaitable[Publication]]:
    match publication.state:
        case State.PLANNED | State.STAGING:
            return stage_publication
        case State.STAGED:
            return publish_publication
        case State.PUBLISHING:
            return _find_interrupted
        case _:
            return ask_platform


async def _find_interrupted(publication: Publication, *, means: Means) -> Publication:
    """An intent whose worker is gone: nobody knows how far it came."""
    return await settle(publication, lambda row: unknown(row, means.clock.now(), code="interrupted"), means=means)


async def _settle_failure(publication: Publication, error: Exception, *, means: Means) -> None:
    if isinstance(error, RateLimited) and error.per and publication.platform:
        await _close_budget(publication, publication.platform, error, means=means)
    if isinstance(error, Misconfigured):
        log.error("misconfigured", platform=publication.platform, code=error.code, detail=error.detail)
    try:
        after = await settle(publication, _change(error, means=means), means=means)
    except ClaimLost:
        return
    log.info(
        "publication_delayed" if not after.ended else "publication_ended",
        publication_id=str(publication.publication_id), state=after.state.value, code=after.code,
    )  # fmt: skip


async def _close_budget(publication: Publication, platform: str, error: RateLimited, *, means: Means) -> None:
    """What the platform refused to one it refuses to all who share the limit: nobody else needs to try."""
    step = STEPS.get(publication.state)
    if step is None:
        return
    closure = Closure(error.until, as_word(error.code))
    async with means.work() as store:
        if error.per is Per.APPLICATION:
            await store.close_application(platform, step, closure)
        else:
            await store.close_connection(publication.connection_id, publication.workspace_id, step, closure)
    log.info("budget_closed", platform=platform, step=step.value, per=str(error.per), code=closure.code)


def _change(error: Exception, *, means: Means) -> Verdict:
    now = means.clock.now()

    def change(row: Publication) -> Publication:
        if row.state is State.PUBLISHING and not isinstance(error, PlatformError):
            # The call may have had its effect and only its record broke.
            return unknown(row, now, code="broke", detail=f"the step broke off ({type(error).__name__})")
        return _after(row, error, now)

    if not isinstance(error, _FORESEEN):
        log.error("step_broke", exc_info=error)
    return change


def _after(row: Publication, error: Exception, now: datetime) -> Publication:
    match error:
        case Unfinished():
            return replace(row, next_at=now)
        case Unsendable():
            return _unsendable(row, error)
        case GrantRefused():
            return _refused(row, error.code, now)
        case PlatformError():
            return failed_to_ask(row, error, now) if row.state in ASKING else failed_before_effect(row, error, now)
        case _ if row.state in ASKING:
            return ask_later(row, now)
        case Unavailable():
            return retry(row, now, code="neighbour_unavailable", counts=False)
        case _:
            return retry(row, now, code="internal", detail=f"the step broke off ({type(error).__name__})")


def _unsendable(row: Publication, error: Unsendable) -> Publication:
    if row.state is State.PUBLISHED:
        return replace(row, next_at=None)
    if row.state not in BEFORE_INTENT:
        return attention(row, code=error.code, evidence=dict(row.evidence or {}) | {"detail": error.detail})
    return row.cancel(error.code) if error.withdrawn else fail(row, code=error.code, detail=error.detail)


def _refused(row: Publication, code: str, now: datetime) -> Publication:
    match code:
        case "reauth_required":
            return hold(row, now) if row.state is not State.PUBLISHED else ask_later(row, now)
        case "refreshing":
            return replace(row, next_at=now + REFRESHING_PAUSE)
        case _:
            return revoked(row)
