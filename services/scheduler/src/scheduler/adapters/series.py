"""Series in PostgreSQL, and the schedules that each has brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from kit.passport import Reach
from psycopg.types.json import Jsonb

from scheduler.adapters.rows import SELECT, SELECT_ID, Rows
from scheduler.domain.schedule import Schedule
from scheduler.domain.series import Series, SeriesState

_SELECT: LiteralString = """
SELECT series_id, workspace_id, post_id, revision_id, connection_ids, rule, starts_at, time_zone, late, when_missed,
       state, reason, last_number, ends_after, skipped, next_at, created_by, created_at, trace,
       despite_blackouts, content_hashes
FROM series
"""

_OPEN: LiteralString = "state IN ('scheduled', 'paused', 'due')"

_IN_REACH: LiteralString = "(%(reach)s::uuid[] IS NULL OR connection_ids <@ %(reach)s::uuid[])"


@dataclass(frozen=True)
class _SeriesRow:
    series_id: UUID
    workspace_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_ids: list[UUID]
    rule: str
    starts_at: datetime
    time_zone: str
    late: timedelta
    when_missed: str
    state: str
    reason: str | None
    last_number: int
    ends_after: int | None
    skipped: int
    next_at: datetime | None
    created_by: UUID | None
    created_at: datetime
    trace: str | None
    despite_blackouts: bool
    content_hashes: dict[str, str]

    def series(self) -> Series:
        parsed = {
            "state": SeriesState(self.state),
            "connection_ids": tuple(self.connection_ids),
            "content_hashes": {UUID(connection_id): found for connection_id, found in self.content_hashes.items()},
        }
        return Series(**(vars(self) | parsed))


class SeriesRows(Rows):
    """The part of `ports.Store` that series need."""

    async def add_series(self, series: Series) -> None:
        await self._transaction.execute(
            "INSERT INTO series (series_id, workspace_id, post_id, revision_id, connection_ids, rule, starts_at,"
            " time_zone, late, when_missed, state, reason, last_number, ends_after, skipped, next_at, created_by,"
            " created_at, trace, despite_blackouts, content_hashes) VALUES (%(series_id)s, %(workspace_id)s,"
            " %(post_id)s, %(revision_id)s, %(connection_ids)s, %(rule)s, %(starts_at)s, %(time_zone)s, %(late)s,"
            " %(when_missed)s, %(state)s, %(reason)s, %(last_number)s, %(ends_after)s, %(skipped)s, %(next_at)s,"
            " %(created_by)s, %(created_at)s, %(trace)s, %(despite_blackouts)s, %(content_hashes)s)",
            _parameters(series),
        )

    async def save_series(self, series: Series) -> None:
        await self._transaction.execute(
            "UPDATE series SET connection_ids = %(connection_ids)s, state = %(state)s, reason = %(reason)s,"
            " last_number = %(last_number)s, ends_after = %(ends_after)s, skipped = %(skipped)s, next_at = %(next_at)s"
            " WHERE series_id = %(series_id)s",
            _parameters(series),
        )

    async def find_series(self, series_id: UUID) -> Series | None:
        row = await self._transaction.first(_SeriesRow, _SELECT + " WHERE series_id = %s", (series_id,))
        return row.series() if row else None

    async def lock_series(self, series_id: UUID) -> Series | None:
        row = await self._transaction.first(_SeriesRow, _SELECT + " WHERE series_id = %s FOR UPDATE", (series_id,))
        return row.series() if row else None

    async def lock_next_series(self, now: datetime) -> Series | None:
        row = await self._transaction.first(
            _SeriesRow,
            _SELECT + " WHERE next_at IS NOT NULL AND next_at <= %s ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            (now,),
        )
        return row.series() if row else None

    async def newest_series(self, limit: int, reach: Reach) -> list[Series]:
        query = _SELECT + " WHERE " + _IN_REACH + " ORDER BY created_at DESC, series_id LIMIT %(limit)s"
        return await self._series(query, {"limit": limit, "reach": reach})

    async def count_open_series(self) -> int:
        count: int = await self._transaction.scalar("SELECT count(*) FROM series WHERE state IN ('active', 'paused')")
        return count

    async def lock_series_of(
        self,
        workspace_id: UUID,
        *,
        post_id: UUID | None = None,
        revision_id: UUID | None = None,
        connection_id: UUID | None = None,
        paused_because: str | None = None,
        reach: Reach = None,
    ) -> list[Series]:
        query: LiteralString = (
            _SELECT
            + " WHERE workspace_id = %(workspace_id)s AND state <> 'cancelled'"
            + " AND (%(post_id)s::uuid IS NULL OR post_id = %(post_id)s)"
            + " AND (%(revision_id)s::uuid IS NULL OR revision_id = %(revision_id)s)"
            + " AND (%(connection_id)s::uuid IS NULL OR %(connection_id)s = ANY (connection_ids))"
            + " AND (%(paused_because)s::text IS NULL OR (state = 'paused' AND reason = %(paused_because)s)) AND "
            + _IN_REACH
            + " ORDER BY series_id FOR UPDATE"
        )
        return await self._series(
            query,
            {
                "workspace_id": workspace_id,
                "post_id": post_id,
                "revision_id": revision_id,
                "connection_id": connection_id,
                "paused_because": paused_because,
                "reach": reach,
            },
        )

    async def pending_of_series(self, series_id: UUID) -> list[datetime]:
        return await self._transaction.scalars(
            "SELECT due_at FROM schedule WHERE series_id = %s AND state IN ('scheduled', 'paused') ORDER BY due_at",
            (series_id,),
        )

    async def open_of_series(self, series_id: UUID) -> list[Schedule]:
        query = SELECT + " WHERE series_id = %(series_id)s AND " + _OPEN + " ORDER BY occurrence"
        return await self._all(query, {"series_id": series_id})

    async def lock_open_of_series(self, series_id: UUID, *, from_number: int = 1) -> list[Schedule]:
        ids = await self._transaction.scalars(
            SELECT_ID + " WHERE series_id = %s AND occurrence >= %s AND " + _OPEN + " ORDER BY schedule_id FOR UPDATE",
            (series_id, from_number),
        )
        return await self._of(ids)

    async def _series(self, query: LiteralString, parameters: Mapping[str, Any]) -> list[Series]:
        return [row.series() for row in await self._transaction.all(_SeriesRow, query, parameters)]


def _parameters(series: Series) -> dict[str, Any]:
    hashes = {str(connection_id): found for connection_id, found in series.content_hashes.items()}
    return vars(series) | {"connection_ids": list(series.connection_ids), "content_hashes": Jsonb(hashes)}
