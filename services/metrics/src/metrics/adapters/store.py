"""metrics' rows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.event import Event
from kit.database import Transaction
from kit.passport import Reach
from platforms.shape import Counts

from metrics.domain import Batch, Look, Performance, Snapshot, Standing, Tracked

_DUE_ROWS_LOOKED_AT = 500
"""Rows read to find the next connections: one connection may own many of them."""


@dataclass(frozen=True)
class _Due:
    connection_id: UUID
    platform: str


class PostgresStore:
    """`metrics.ports.Store` on one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def emit(self, event: Event) -> None:
        self._transaction.emit(event)

    async def hold_subjects(self, workspace_id: UUID, connection_id: UUID) -> None:
        # Shared, so that publications of one workspace do not wait for each other, only for its end.
        for subject in (workspace_id, connection_id):
            await self._transaction.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", (str(subject),)
            )

    async def hold_end(self, subject_id: UUID) -> None:
        await self._transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(subject_id),))

    async def has_ended(self, *subject_ids: UUID) -> bool:
        found: bool = await self._transaction.scalar(
            "SELECT EXISTS (SELECT 1 FROM ended WHERE subject_id = ANY(%s))", (list(subject_ids),)
        )
        return found

    async def mark_ended(self, subject_id: UUID, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO ended (subject_id, ended_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", (subject_id, at)
        )

    async def forget_ended(self, before: datetime) -> int:
        return await self._transaction.execute("DELETE FROM ended WHERE ended_at < %s", (before,))

    async def note(
        self,
        *,
        publication_id: UUID,
        workspace_id: UUID,
        connection_id: UUID,
        post_id: UUID,
        platform: str,
        platform_post_id: str | None,
        published_at: datetime | None,
    ) -> None:
        await self._transaction.execute(
            "INSERT INTO tracked (publication_id, workspace_id, connection_id, post_id, platform, platform_post_id,"
            " published_at, state) VALUES (%s, %s, %s, %s, %s, %s, %s, 'waiting')"
            " ON CONFLICT (publication_id) DO UPDATE"
            " SET platform_post_id = coalesce(tracked.platform_post_id, excluded.platform_post_id),"
            " published_at = coalesce(tracked.published_at, excluded.published_at)",
            (publication_id, workspace_id, connection_id, post_id, platform, platform_post_id, published_at),
        )

    async def start_if_complete(self, publication_id: UUID, at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE tracked SET state = 'tracking', next_at = %s WHERE publication_id = %s AND state = 'waiting'"
            " AND platform_post_id IS NOT NULL AND published_at IS NOT NULL",
            (at, publication_id),
        )

    async def stop(self, subject_id: UUID) -> None:
        await self._transaction.execute(
            "UPDATE tracked SET state = 'stopped', next_at = NULL"
            " WHERE (connection_id = %(subject)s OR workspace_id = %(subject)s) AND state IN ('waiting', 'tracking')",
            {"subject": subject_id},
        )

    async def stop_publication(self, publication_id: UUID) -> None:
        await self._transaction.execute(
            "UPDATE tracked SET state = 'gone', next_at = NULL"
            " WHERE publication_id = %s AND state IN ('waiting', 'tracking')",
            (publication_id,),
        )

    async def delete_if_erased(self, subject_id: UUID, erasure_id: UUID) -> None:
        await self._transaction.execute(
            "DELETE FROM tracked WHERE (connection_id = %(subject)s OR workspace_id = %(subject)s) AND EXISTS"
            " (SELECT 1 FROM erasure_task WHERE erasure_id = %(erasure)s AND done_at IS NOT NULL)",
            {"subject": subject_id, "erasure": erasure_id},
        )

    async def due_connections(self, now: datetime, limit: int) -> Sequence[tuple[UUID, str]]:
        rows = await self._transaction.all(
            _Due,
            "SELECT connection_id, platform FROM tracked WHERE state = 'tracking' AND next_at <= %s"
            " ORDER BY next_at LIMIT %s",
            (now, _DUE_ROWS_LOOKED_AT),
        )
        return list(dict.fromkeys((row.connection_id, row.platform) for row in rows))[:limit]

    async def claim(self, connection_id: UUID, *, now: datetime, until: datetime, limit: int) -> Sequence[Tracked]:
        return await self._transaction.all(
            Tracked,
            "UPDATE tracked SET next_at = %(until)s WHERE publication_id = ANY(ARRAY("
            " SELECT publication_id FROM tracked"
            " WHERE connection_id = %(connection)s AND state = 'tracking' AND next_at <= %(now)s"
            " ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))"
            " RETURNING publication_id, workspace_id, connection_id, platform, platform_post_id, published_at,"
            " absences, failures, withheld",
            {"connection": connection_id, "now": now, "until": until, "limit": limit},
        )

    async def lock_tracking(self, publication_ids: Sequence[UUID]) -> set[UUID]:
        rows = await self._transaction.scalars(
            "SELECT publication_id FROM tracked WHERE publication_id = ANY(%s) AND state = 'tracking'"
            " ORDER BY publication_id FOR UPDATE",
            (list(publication_ids),),
        )
        return set(rows)

    async def write_snapshots(self, batch: Batch, counts: Mapping[UUID, Counts], taken_at: datetime) -> None:
        await self._transaction.execute_many(
            "INSERT INTO snapshot (publication_id, taken_at, workspace_id, connection_id,"
            " views, likes, comments, shares, impressions) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                (
                    publication_id,
                    taken_at,
                    batch.workspace_id,
                    batch.connection_id,
                    count.views,
                    count.likes,
                    count.comments,
                    count.shares,
                    count.impressions,
                )
                for publication_id, count in counts.items()
            ],
        )

    async def write_looks(self, looks: Mapping[UUID, Look]) -> None:
        await self._transaction.execute_many(
            "UPDATE tracked SET state = %s, next_at = %s, absences = %s, failures = %s, withheld = %s"
            " WHERE publication_id = %s",
            [
                (look.state, look.next_at, look.absences, look.failures, look.withheld, publication_id)
                for publication_id, look in looks.items()
            ],
        )

    async def postpone(self, batch: Batch, until: datetime) -> None:
        claimed = [tracked.publication_id for tracked in batch.publications]
        await self._transaction.execute(
            "UPDATE tracked SET next_at = %(until)s WHERE connection_id = %(connection)s AND state = 'tracking'"
            " AND (next_at < %(until)s OR publication_id = ANY(%(claimed)s))",
            {"until": until, "connection": batch.connection_id, "claimed": claimed},
        )

    async def find(self, publication_id: UUID, reach: Reach) -> Standing | None:
        return await self._transaction.first(
            Standing,
            "SELECT withheld FROM tracked WHERE publication_id = %(publication_id)s"
            " AND (%(reach)s::uuid[] IS NULL OR connection_id = ANY (%(reach)s::uuid[]))",
            {"publication_id": publication_id, "reach": reach},
        )

    async def snapshots(self, publication_id: UUID) -> Sequence[Snapshot]:
        return await self._transaction.all(
            Snapshot,
            "SELECT taken_at, views, likes, comments, shares, impressions FROM snapshot"
            " WHERE publication_id = %s ORDER BY taken_at",
            (publication_id,),
        )

    async def performances(self, workspace_id: UUID, limit: int, reach: Reach) -> Sequence[Performance]:
        return await self._transaction.all(
            Performance,
            "SELECT t.publication_id, t.connection_id, t.post_id, t.platform, t.published_at, t.state, t.withheld,"
            " s.taken_at, s.views, s.likes, s.comments, s.shares, s.impressions"
            " FROM tracked t LEFT JOIN LATERAL (SELECT * FROM snapshot"
            " WHERE snapshot.publication_id = t.publication_id ORDER BY taken_at DESC LIMIT 1) s ON true"
            " WHERE t.workspace_id = %(workspace_id)s AND t.published_at IS NOT NULL"
            " AND (%(reach)s::uuid[] IS NULL OR t.connection_id = ANY (%(reach)s::uuid[]))"
            " ORDER BY t.published_at DESC LIMIT %(limit)s",
            {"workspace_id": workspace_id, "reach": reach, "limit": limit},
        )
