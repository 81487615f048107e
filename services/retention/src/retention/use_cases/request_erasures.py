"""Ask every service to erase what is due, take their answers, and warn when one is late."""

from __future__ import annotations

from datetime import datetime

import structlog
from contracts.retention import ErasureOverdueV1, ErasureRecalledV1, ErasureRequestedV1, ErasureTaskDoneV1
from contracts.topology import erasing_services

from retention.domain.erasure import BATCH_MAX, OWN_TASK, Answer, OpenErasure
from retention.ports import Erasures

log = structlog.get_logger("erasures")


async def request_due(store: Erasures, *, now: datetime) -> int:
    """Request what is due of all services; returns how many."""
    due = await store.request_due(now, erasing_services(), BATCH_MAX)
    for erasure in due:
        store.emit(_request(erasure))
        log.info("erasure_requested", erasure_id=str(erasure.erasure_id), subject_kind=erasure.subject_kind)
    return len(due)


async def warn_overdue(store: Erasures, *, now: datetime) -> None:
    """Tell of each erasure that is not done although half of its time is over."""
    for overdue in await store.warn_overdue(now, BATCH_MAX):
        waiting_for = tuple(overdue.waiting_for) or (OWN_TASK,)
        store.emit(ErasureOverdueV1(erasure_id=overdue.erasure_id, due_at=overdue.due_at, waiting_for=waiting_for))
        log.error("erasure_overdue", erasure_id=str(overdue.erasure_id), waiting_for=waiting_for)


async def take_answer(event: ErasureTaskDoneV1, store: Erasures) -> None:
    """Note what a service did. One that still finds something has not done its task."""
    complete = not any(event.remaining.values())
    answer = Answer(event.service, event.erased, event.anonymised, event.remaining, complete, event.done_at)
    await store.write_answer(event.erasure_id, answer)


async def repeat_requests(store: Erasures) -> None:
    """Request again whatever a backup may still hold, as a restore of one may have brought it back.

    Done at every start. A service that has done its task and was not restored does not do it again.
    """
    for erasure in await store.not_final():
        store.emit(_request(erasure))


async def recall_ended(store: Erasures) -> None:
    """Say again which connections have ended, as a restore may have brought their tokens back.

    Done at every start, like `repeat_requests`: what a disconnect destroyed at once must not wait for its erasure.
    """
    for erasure in await store.ended_connections():
        store.emit(ErasureRecalledV1(erasure_id=erasure.erasure_id, connection_id=erasure.subject_id))


def _request(erasure: OpenErasure) -> ErasureRequestedV1:
    return ErasureRequestedV1(
        erasure_id=erasure.erasure_id,
        subject_kind=erasure.subject_kind,
        subject_id=erasure.subject_id,
        due_at=erasure.due_at,
    )
