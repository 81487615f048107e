"""Budgets in PostgreSQL: charged in the transaction of the intents they are for, so that no crash loses or doubles any.

Whose budgets are charged, they are locked until that transaction ends: the replicas take their turns. A platform's own
row is only read where nothing is counted for the application.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.database import Transaction
from platforms.limits import Per
from psycopg.types.json import Jsonb

from publisher.adapters.siblings import count_siblings
from publisher.domain.budget import Budget, Closure, Payment, Step
from publisher.domain.sharing import Ask, Books, Queues, Waiting, foresee, share

_READ = """
WITH connections AS (
    SELECT connection_id, spent, closed FROM connection_budget
    WHERE connection_id = ANY(%(connections)s) ORDER BY connection_id FOR UPDATE
), charged AS (
    SELECT platform, spent, closed, turns FROM application_budget
    WHERE platform = ANY(%(charged)s) ORDER BY platform FOR UPDATE
)
SELECT connection_id::text AS holder, spent, closed, NULL::jsonb AS turns FROM connections
UNION ALL SELECT platform, spent, closed, turns FROM charged
UNION ALL SELECT platform, spent, closed, turns FROM application_budget WHERE platform = ANY(%(read)s)
"""

# The code is written out, so that the planner finds the index of those that wait.
_WAITING = """
WITH waiting AS (
    SELECT platform, CASE state WHEN 'staged' THEN 'publishing' ELSE 'staging' END AS step, workspace_id, connection_id,
        next_at <= %(now)s AS ready
    FROM publication
    WHERE code = 'budget' AND platform = ANY(%(platforms)s) AND state IN ('planned', 'staging', 'staged')
        AND publication_id <> ALL(%(asking)s)
)
SELECT platform, step, workspace_id, NULL AS connection_id, count(*) FILTER (WHERE ready) AS ready, count(*) AS all
FROM waiting GROUP BY platform, step, workspace_id
UNION ALL SELECT platform, step, NULL, connection_id, 0, count(*)
FROM waiting WHERE connection_id = ANY(%(connections)s) GROUP BY platform, step, connection_id
"""


@dataclass(frozen=True)
class _BudgetRow:
    """`holder`: a connection's id or a platform's name."""

    holder: str
    spent: dict[str, dict[str, int]]
    closed: dict[str, dict[str, str]]
    turns: dict[str, int] | None

    def budget(self) -> Budget:
        return Budget(
            spent={name: {int(slot): units for slot, units in slots.items()} for name, slots in self.spent.items()},
            closed={
                step: Closure(datetime.fromisoformat(each["until"]), each["code"]) for step, each in self.closed.items()
            },
            turns=self.turns,
        )


@dataclass(frozen=True)
class _WaitingRow:
    """Of a workspace, or of a connection that asks."""

    platform: str
    step: str
    workspace_id: UUID | None
    connection_id: UUID | None
    ready: int
    all: int


class BudgetRows:
    """The part of `ports.Store` that is about budgets."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def charge(self, asks: Sequence[Ask]) -> list[Payment]:
        books = await self._books(asks)
        now = self._transaction.clock.now()
        contended = books.contended(asks, now)
        queues = await self._queues(contended, asks, now) if contended else {}
        answers = share(asks, books, queues, now)
        await self._keep(books)
        siblings = await count_siblings(asks, self._transaction)
        return [
            Payment(answer, foresee(ask, books, siblings.get(ask.publication.publication_id, {})))
            for ask, answer in zip(asks, answers, strict=True)
        ]

    async def _books(self, asks: Sequence[Ask]) -> Books:
        connections = {ask.publication.connection_id: ask.publication.workspace_id for ask in asks}
        platforms = {ask.bill.platform for ask in asks}
        charged = {ask.bill.platform for ask in asks if any(ask.bill.of(Per.APPLICATION))}
        asked = {"connections": list(connections), "charged": list(charged), "read": list(platforms - charged)}
        rows = await self._transaction.all(_BudgetRow, _READ, asked)
        found = {row.holder for row in rows}
        payers = {ask.publication.connection_id for ask in asks if ask.bill.touches(Per.ACCOUNT)}
        missing = {each: connections[each] for each in payers if str(each) not in found}
        applications = {ask.bill.platform for ask in asks if ask.bill.touches(Per.APPLICATION)} - found
        if missing or applications:
            await self._add(missing.items(), applications)
            rows = await self._transaction.all(_BudgetRow, _READ, asked)
        budgets = {row.holder: row.budget() for row in rows}
        return Books(
            {each: budgets.get(str(each)) or Budget() for each in connections},
            {each: budgets.get(each) or Budget() for each in platforms},
        )

    async def _add(self, connections: Iterable[tuple[UUID, UUID]], platforms: Iterable[str]) -> None:
        """Empty rows, so that there is something to lock: while staging, before a burst needs them.

        Another replica may add them in the same moment.
        """
        new = sorted(connections)
        await self._transaction.execute(
            "INSERT INTO connection_budget (connection_id, workspace_id) SELECT * FROM unnest(%s::uuid[], %s::uuid[])"
            " ON CONFLICT DO NOTHING",
            ([each for each, _ in new], [workspace for _, workspace in new]),
        )
        await self._transaction.execute(
            "INSERT INTO application_budget (platform) SELECT * FROM unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (sorted(platforms),),
        )

    async def _queues(self, platforms: Collection[str], asks: Sequence[Ask], now: datetime) -> Queues:
        asked = {
            "now": now,
            "platforms": list(platforms),
            "asking": [ask.publication.publication_id for ask in asks],
            "connections": list({ask.publication.connection_id for ask in asks}),
        }
        rows: dict[tuple[str, Step], list[_WaitingRow]] = defaultdict(list)
        for row in await self._transaction.all(_WaitingRow, _WAITING, asked):
            rows[row.platform, Step(row.step)].append(row)
        return {
            key: Waiting(
                of_workspace={str(row.workspace_id): row.all for row in found if row.workspace_id},
                ready={str(row.workspace_id): row.ready for row in found if row.workspace_id},
                of_connection={row.connection_id: row.all for row in found if row.connection_id},
            )
            for key, found in rows.items()
        }

    async def _keep(self, books: Books) -> None:
        """As one document each: in an array every quotation mark of every document would have to be escaped."""
        connections = [
            {"connection_id": str(key), "spent": budget.spent}
            for key, budget in books.connections.items()
            if budget.changed
        ]
        if connections:
            await self._transaction.execute(
                "UPDATE connection_budget AS budget SET spent = new.spent"
                " FROM jsonb_to_recordset(%s) AS new (connection_id uuid, spent jsonb)"
                " WHERE budget.connection_id = new.connection_id",
                (Jsonb(connections),),
            )
        applications = [
            {"platform": key, "spent": budget.spent, "turns": budget.turns}
            for key, budget in books.applications.items()
            if budget.changed
        ]
        if applications:
            await self._transaction.execute(
                "UPDATE application_budget AS budget SET spent = new.spent, turns = coalesce(new.turns, 'null')"
                " FROM jsonb_to_recordset(%s) AS new (platform text, spent jsonb, turns jsonb)"
                " WHERE budget.platform = new.platform",
                (Jsonb(applications),),
            )

    async def budget_of_connection(self, connection_id: UUID) -> Budget:
        row = await self._transaction.first(
            _BudgetRow,
            "SELECT connection_id::text AS holder, spent, closed, NULL::jsonb AS turns FROM connection_budget"
            " WHERE connection_id = %s",
            (connection_id,),
        )
        return row.budget() if row else Budget()

    async def budget_of_application(self, platform: str) -> Budget:
        """Without its turns: requests may not see whose they are."""
        row = await self._transaction.first(
            _BudgetRow,
            "SELECT platform AS holder, spent, closed, NULL::jsonb AS turns FROM application_budget"
            " WHERE platform = %s",
            (platform,),
        )
        return row.budget() if row else Budget()

    async def close_connection(self, connection_id: UUID, workspace_id: UUID, step: Step, closure: Closure) -> None:
        """Let nothing more be spent of a connection's budget until then, unless it is closed for longer already."""
        await self._transaction.execute(
            """
            INSERT INTO connection_budget AS budget (connection_id, workspace_id, closed)
            VALUES (%(holder)s, %(workspace)s, %(closed)s) ON CONFLICT (connection_id) DO UPDATE
            SET closed = budget.closed || excluded.closed
            WHERE coalesce((budget.closed -> %(step)s ->> 'until')::timestamptz, '-infinity') < %(until)s
            """,
            {"holder": connection_id, "workspace": workspace_id, **_closing(step, closure)},
        )

    async def close_application(self, platform: str, step: Step, closure: Closure) -> None:
        """Likewise of our application at a platform."""
        await self._transaction.execute(
            """
            INSERT INTO application_budget AS budget (platform, closed)
            VALUES (%(holder)s, %(closed)s) ON CONFLICT (platform) DO UPDATE
            SET closed = budget.closed || excluded.closed
            WHERE coalesce((budget.closed -> %(step)s ->> 'until')::timestamptz, '-infinity') < %(until)s
            """,
            {"holder": platform, **_closing(step, closure)},
        )


def _closing(step: Step, closure: Closure) -> dict[str, Any]:
    until = {"until": closure.until.isoformat(), "code": closure.code}
    return {"step": step.value, "until": closure.until, "closed": Jsonb({step.value: until})}
