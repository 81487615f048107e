"""Whether a query of the serving role can cross tenants when its WHERE is forgotten, tried on every table with rows.

The tables are filled from the catalogue with rows of two tenants, so that a new table is tried without a word about it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from kit.testing.data_maps import MESSAGING_TABLES

TENANTS = ("workspace_id", "account_id", "organisation_id")
"""Whose a row can be, by its columns; a transaction is bound to them as `app.<column>`."""

_COLUMNS: LiteralString = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
    ORDER BY c.relname, a.attnum
"""
_UNCHECKED: LiteralString = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f') AND conislocal
"""


@dataclass
class Trial:
    """What was found. `crossed`: a line for each query that reached another tenant's rows.

    `given`: tables into which somebody can write a row that is wholly another tenant's.
    """

    tables: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    crossed: list[str] = field(default_factory=list)


def try_without_where(superuser_url: str, login_url: str) -> Trial:
    """Fill every table that has a tenant, and read, change and delete everything of it as each of them.

    The database is spoilt by it: what would refuse made-up rows is dropped first.
    """
    mine, theirs, thirds = ({name: uuid.uuid4() for name in TENANTS} for _ in range(3))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        tables = {
            table: columns for table, columns in tables_in(connection).items() if not columns.keys().isdisjoint(TENANTS)
        }
        fill(connection, tables, (mine, theirs))
    trial = Trial(set(tables))
    with psycopg.connect(login_url, autocommit=True) as connection:
        for table, columns in tables.items():
            for scope in ({}, *({name: mine[name]} for name in TENANTS)):
                for line in _crossings(connection, table, columns, scope, mine, trial):
                    trial.crossed.append(line)
                if _tried(connection, *_made_row(table, columns, thirds, number=2), scope)[0]:
                    trial.given.add(table)
    return trial


def tables_in(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Each table of the service's own, with the types of its columns."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS):
        if table not in MESSAGING_TABLES:
            found.setdefault(table, {})[column] = kind
    return found


def fill(
    connection: psycopg.Connection[Any],
    tables: Mapping[str, Mapping[str, str]],
    tenants: Sequence[Mapping[str, object]],
) -> None:
    """A made-up row of each table for each tenant, who says what stands in some columns."""
    for (statement,) in connection.execute(_UNCHECKED).fetchall():
        connection.execute(statement)
    # Triggers would look for what the rows hang on.
    connection.execute("SET session_replication_role = replica")
    for table, columns in tables.items():
        for number, tenant in enumerate(tenants):
            connection.execute(*_made_row(table, columns, tenant, number=number))


def _made_row(
    table: str, columns: Mapping[str, str], tenant: Mapping[str, object], *, number: int
) -> tuple[sql.Composed, list[Any]]:
    """A statement that inserts a made-up row of a tenant."""
    values = [tenant.get(column, _value(kind, number)) for column, kind in columns.items()]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    return statement, values


def _value(kind: str, number: int) -> Any:
    """Something of a type that is another one for each tenant where it can be."""
    if kind.endswith("[]"):
        return []
    base = kind.partition("(")[0]
    made: dict[str, Any] = {
        "uuid": uuid.uuid4(),
        "bytea": uuid.uuid4().bytes,
        "boolean": True,
        "date": "2026-01-01",
        "inet": f"192.0.2.{number}",
        "json": "{}",
        "jsonb": "{}",
        "interval": "1 day",
        "text": uuid.uuid4().hex,
        "character varying": uuid.uuid4().hex[:8],
    }
    if base.startswith("timestamp"):
        return "2026-01-01T00:00:00Z"
    # What is left are numbers; a type that is none fails here and wants a line above.
    return made.get(base, number + 1)


def _crossings(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Mapping[str, str],
    scope: Mapping[str, uuid.UUID],
    mine: Mapping[str, uuid.UUID],
    trial: Trial,
) -> Iterator[str]:
    """What each kind of query touched of others' rows, in one scope."""
    tenant = next(name for name in TENANTS if name in columns)
    as_whom = next(iter(scope), "nobody")
    name, column = sql.Identifier(table), sql.Identifier(tenant)
    for verb, statement in (
        ("reads", sql.SQL("SELECT {} FROM {}").format(column, name)),
        ("changes", sql.SQL("UPDATE {} SET {} = {} RETURNING {}").format(name, column, column, column)),
        ("deletes", sql.SQL("DELETE FROM {} RETURNING {}").format(name, column)),
    ):
        touched = {row[0] for row in _tried(connection, statement, [], scope)[1]}
        if touched:
            trial.seen.add(table)
        if touched - {mine[tenant]} or (touched and not scope):
            yield f"{table}: {as_whom} {verb} rows of others"


def _tried(
    connection: psycopg.Connection[Any], statement: sql.Composed, values: Sequence[Any], scope: Mapping[str, uuid.UUID]
) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows a statement reaches in a scope, and what it returns of them; nothing of what it did stays."""
    connection.execute("BEGIN")
    try:
        for name, value in scope.items():
            connection.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", str(value)))
        cursor = connection.execute(statement, values)
        return cursor.rowcount, cursor.fetchall() if cursor.description else []
    except psycopg.errors.InsufficientPrivilege:
        return 0, []
    finally:
        connection.execute("ROLLBACK")
