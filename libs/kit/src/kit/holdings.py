"""What a service holds about a subject, found by the same map and conditions by which it will be forgotten.

So nothing is told that is somebody else's to erase, and a column that is new to the map is told from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from contracts.retention import SubjectKind

from kit.database import Scope
from kit.erasure import HELD_EVENTS, Apart, Kind, Table, rules_of

ROWS_MAX = 50_000
"""Of one table. A person's longest is the log of a year, some thousand rows; the answer is held in memory."""


@dataclass(frozen=True)
class Held:
    """One table's rows about a subject, with bytes in hexadecimal after `\\x`.

    `columns`: what each holds (`kit.erasure.Kind`). Those that hold secrets are named and never shown: whoever holds a
    session is to get no more from it than that they are there. `more`: there are more rows than are shown.
    """

    table: str
    purpose: str
    retention: str
    columns: Mapping[str, Kind]
    rows: Sequence[Mapping[str, Any]]
    more: bool


async def held_about(stores: Sequence[Apart], kind: SubjectKind, subject: UUID) -> list[Held]:
    """Every table that knows this kind of subject, those without a row about this one too.

    It looks everywhere, so `subject` must be who asks, or whose the asking is. The first store is the service's own.
    """
    own, *others = stores
    tables = [(own, HELD_EVENTS, HELD_EVENTS.subjects[kind])]
    tables += [(store, *known) for store in (own, *others) for known in rules_of(store.data_map, kind)]
    return [await _held(store, table, rule.where, subject) for store, table, rule in tables]


async def _held(store: Apart, table: Table, where: LiteralString, subject: UUID) -> Held:
    shown = ", ".join(name for name, column in table.columns.items() if column is not Kind.SECRET)
    # The map is code, not input.
    rows_of = f"SELECT {shown} FROM {table.name} WHERE {where} LIMIT {ROWS_MAX + 1}"  # noqa: S608
    async with store.database.transaction(Scope.worker()) as transaction:
        rows = await transaction.scalars(f"SELECT to_jsonb(told) FROM ({rows_of}) told", {"subject": subject})  # noqa: S608
    return Held(table.name, table.purpose, table.retention, table.columns, rows[:ROWS_MAX], len(rows) > ROWS_MAX)
