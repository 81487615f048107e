"""What became of schedules at their connections, as the publisher told it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scheduler.domain.schedule import Target
from scheduler.ports import Store


async def record_outcomes(outcomes: Sequence[tuple[UUID, Target]], *, store: Store) -> None:
    """Outcomes by schedule, in the order they were told. A schedule that is not known was erased meanwhile."""
    locked = await store.lock_all({schedule_id for schedule_id, _ in outcomes})
    before = {schedule.schedule_id: schedule for schedule in locked}
    after = dict(before)
    for schedule_id, outcome in outcomes:
        if schedule_id in after:
            after[schedule_id] = after[schedule_id].record(outcome)
    changed = [schedule for schedule_id, schedule in after.items() if schedule != before[schedule_id]]
    if changed:
        await store.save_all(changed)
