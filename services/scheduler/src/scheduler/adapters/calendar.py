"""Pages of a calendar, found by time (`schedule_newest`) however far in it they are."""

from __future__ import annotations

from typing import LiteralString

from scheduler.adapters.rows import IN_REACH, SELECT, Rows
from scheduler.domain.calendar import Page, Place, Wanted

_SINCE: LiteralString = " AND due_at >= %(since)s"
_UNTIL: LiteralString = " AND due_at < %(until)s"
_BEFORE: LiteralString = " AND (due_at, schedule_id) < (%(place_due_at)s, %(place_id)s)"
_AFTER: LiteralString = " AND (due_at, schedule_id) > (%(place_due_at)s, %(place_id)s)"
_IN_STATE: LiteralString = " AND state = %(state)s"
_AT_CONNECTION: LiteralString = """
  AND EXISTS (SELECT 1 FROM target t
              WHERE t.schedule_id = schedule.schedule_id AND t.connection_id = %(connection_id)s)
"""
_EARLIEST_FIRST: LiteralString = " ORDER BY due_at, schedule_id LIMIT %(limit)s"
_LATEST_FIRST: LiteralString = " ORDER BY due_at DESC, schedule_id DESC LIMIT %(limit)s"


class CalendarRows(Rows):
    """The part of `ports.Store` that people look through."""

    async def page(self, wanted: Wanted, limit: int) -> Page:
        # Only what is asked for is said, so that the index is used from the right place on.
        asked = (
            (_SINCE, wanted.since), (_UNTIL, wanted.until), (_BEFORE, wanted.before), (_AFTER, wanted.after),
            (_IN_STATE, wanted.state), (_AT_CONNECTION, wanted.connection_id),
        )  # fmt: skip
        query: LiteralString = SELECT + IN_REACH
        for condition, value in asked:
            if value is not None:
                query += condition
        query += _EARLIEST_FIRST if wanted.onwards else _LATEST_FIRST
        place = wanted.before or wanted.after
        found = await self._all(
            query,
            {
                "reach": wanted.reach,
                "since": wanted.since,
                "until": wanted.until,
                "state": wanted.state,
                "connection_id": wanted.connection_id,
                "place_due_at": place and place.due_at,
                "place_id": place and place.schedule_id,
                "limit": limit + 1,
            },
        )
        schedules = found[:limit]
        return Page(schedules, Place.of(schedules[-1]) if len(found) > limit else None)
