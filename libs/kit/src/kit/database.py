"""Transactions on one service's PostgreSQL database, each bound to who it acts for.

Row level security reads the scope from the transaction's settings, so a query without a scope sees nothing
and one without its WHERE still sees one workspace only. Facts and the events that tell them are written
in the same transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, LiteralString, TypeVar
from uuid import UUID

import msgspec
import psycopg
from contracts.event import Event
from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from kit import outbox
from kit.clock import Clock
from kit.secret import Secret

Parameters = Sequence[Any] | Mapping[str, Any]
Row = TypeVar("Row")
StoreT = TypeVar("StoreT")

set_json_loads(msgspec.json.decode)  # in a third of the time that the standard library takes

POOL_TIMEOUT_SECONDS = 10.0
"""How long a request waits for a free connection before it is told to come back later."""

CONNECT_TIMEOUT_SECONDS = 5

CLOSE_SECONDS = 1.0
"""How long an end waits for connections that are just being made: to a database that is away they never are."""

ANSWER_SECONDS = 1.0
"""A database that has not answered a new client by then cannot be waited for."""

IDLE_SECONDS = 10.0
"""The pool gives up one connection it did not need each time this passes. Idle ones cost PostgreSQL 3 MB each."""

STATEMENT_TIMEOUT_MS = 15_000
"""No statement of a request or handler runs longer; a purge works in batches below it."""


@dataclass(frozen=True)
class Scope:
    """Whose rows a transaction may see. Built by the named constructors only."""

    workspace_id: UUID | None = None
    account_id: UUID | None = None
    organisation_id: UUID | None = None
    as_worker: bool = False

    @classmethod
    def workspace(cls, workspace_id: UUID, account_id: UUID | None = None) -> Scope:
        """One workspace's rows, and the given person's own."""
        return cls(workspace_id=workspace_id, account_id=account_id)

    @classmethod
    def account(cls, account_id: UUID) -> Scope:
        """One person's own rows across workspaces."""
        return cls(account_id=account_id)

    @classmethod
    def organisation(cls, organisation_id: UUID, account_id: UUID) -> Scope:
        """One organisation's rows, and the given person's own. What is in its workspaces is not among them."""
        return cls(organisation_id=organisation_id, account_id=account_id)

    @classmethod
    def worker(cls) -> Scope:
        """Every workspace's rows, for loops and erasures. Never for a request of a person, but for one: to be told all
        that is held about them (`kit.holdings`)."""
        return cls(as_worker=True)

    @classmethod
    def nobody(cls) -> Scope:
        """No tenant's rows: only tables that belong to no one, such as sign-up."""
        return cls()

    def begin(self, service: str) -> str:
        """BEGIN and the scope in one message: a round trip less than setting it apart.

        Ids are UUID objects and the service's name is ours, so that nothing needs quoting.
        """
        statement = "BEGIN"
        if self.workspace_id:
            statement += f"; SET LOCAL app.workspace_id = '{self.workspace_id}'"
        if self.account_id:
            statement += f"; SET LOCAL app.account_id = '{self.account_id}'"
        if self.organisation_id:
            statement += f"; SET LOCAL app.organisation_id = '{self.organisation_id}'"
        if self.as_worker:
            statement += f"; SET LOCAL ROLE {service}_worker"
        return statement


class Transaction:
    """One open transaction: queries with typed rows, and the events that are told when it commits."""

    def __init__(self, connection: AsyncConnection[Any], scope: Scope, clock: Clock, source: str) -> None:
        self.connection = connection
        self.scope = scope
        self.clock = clock
        self._source = source
        self._events: list[outbox.Entry] = []
        self._afterwards: list[Callable[[], None]] = []

    async def execute(self, query: LiteralString, parameters: Parameters | None = None) -> int:
        """Run a statement; returns how many rows it touched."""
        cursor = await self.connection.execute(query, parameters)
        return cursor.rowcount

    async def execute_many(self, query: LiteralString, rows: Sequence[Parameters]) -> None:
        async with self.connection.cursor() as cursor:
            await cursor.executemany(query, rows)

    async def all(self, row: type[Row], query: LiteralString, parameters: Parameters | None = None) -> list[Row]:
        """Every row of a query as `row`, whose fields are the columns."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchall()

    async def rows(
        self,
        make: Callable[[Sequence[str], Sequence[Any]], Row],
        query: LiteralString,
        parameters: Parameters | None = None,
    ) -> list[Row]:
        """Every row of a query as `make` has it, of the columns' names and its values."""
        cursor = await self.connection.execute(query, parameters)
        names = [column.name for column in cursor.description or ()]
        return [make(names, values) for values in await cursor.fetchall()]

    async def first(self, row: type[Row], query: LiteralString, parameters: Parameters | None = None) -> Row | None:
        """The first row of a query as `row`, or None."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchone()

    async def scalar(self, query: LiteralString, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        async with self.connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchone()

    async def scalars(self, query: LiteralString, parameters: Parameters | None = None) -> list[Any]:
        """The first column of every row."""
        async with self.connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchall()

    def emit(self, event: Event) -> UUID:
        """Tell an event when, and only when, this transaction commits; returns the event's id."""
        entries = outbox.Entry.all_of(event, source=self._source, at=self.clock.now())
        self._events += entries
        return entries[0].event_id

    def when_committed(self, call: Callable[[], None]) -> None:
        """Do this, which is brief and cannot fail, when and only when the transaction has committed."""
        self._afterwards.append(call)

    def committed(self) -> None:
        for call in self._afterwards:
            call()

    async def write_outbox(self) -> bool:
        """Store what was emitted; true if there was anything."""
        if self._events:
            await outbox.insert(self.connection, self._events)
        return bool(self._events)


class Database:
    """The connection pool of one service."""

    def __init__(
        self, service: str, url: Secret, clock: Clock, *, connections_max: int, connections_min: int = 1
    ) -> None:
        self.service = service
        self.clock = clock
        self.committed = asyncio.Event()
        self._url = url
        self._pool = AsyncConnectionPool(
            url.reveal(),
            min_size=connections_min,
            max_size=connections_max,
            timeout=POOL_TIMEOUT_SECONDS,
            max_idle=IDLE_SECONDS,
            open=False,
            name=service,
            kwargs={
                "autocommit": True,  # transactions are begun explicitly, together with their scope
                "application_name": service,
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
            },
        )

    async def open(self) -> None:
        """Connect; raises `psycopg_pool.PoolTimeout` if the database does not answer in time."""
        await self._pool.open(wait=True, timeout=POOL_TIMEOUT_SECONDS)

    async def close(self) -> None:
        await self._pool.close(timeout=CLOSE_SECONDS)

    async def answers(self) -> bool:
        """Whether the database takes a client now; not one of the pool, all of which may be at work."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = await self.connect(f"{self.service} looks")
        except (psycopg.OperationalError, TimeoutError):
            return False
        await connection.close()
        return True

    async def connect(self, application_name: str) -> AsyncConnection[Any]:
        """A session of its own beside the pool. Each side notices within a dozen seconds that the other is gone."""
        return await AsyncConnection.connect(
            self._url.reveal(),
            autocommit=True,
            application_name=application_name,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            options="-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
        )

    async def check(self) -> None:
        """Return if the database answers a query; raise what psycopg raises otherwise."""
        async with self._pool.connection(timeout=2) as connection:
            await connection.execute("SELECT 1")

    async def migrated_to(self) -> str | None:
        """The revision the schema is at."""
        async with self.transaction(Scope.nobody()) as transaction:
            revision: str | None = await transaction.scalar("SELECT version_num FROM alembic_version")
            return revision

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Transaction]:
        """One transaction: committed if the block ends well, rolled back if it raises."""
        async with self.connection() as connection, self.on(connection, scope) as (transaction, _):
            yield transaction

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Transaction]:
        """One look as nobody, without the round trips that begin and end a transaction: each statement is its own.

        For what is asked at every request. Nothing can be told in it.
        """
        async with self._pool.connection() as connection:
            yield Transaction(connection, Scope.nobody(), self.clock, self.service)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection of the pool, for transactions that follow each other closely; see `on`."""
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def on(
        self, connection: AsyncConnection[Any], scope: Scope, first: str | None = None
    ) -> AsyncIterator[tuple[Transaction, bool]]:
        """A transaction on a given connection, and whether its `first` statement touched a row.

        `first` travels with the BEGIN. It is one statement without parameters, built by kit from values that
        need no quoting.
        """
        statement = scope.begin(self.service)
        if first is not None:
            statement += "; " + first
        try:
            # Several statements in one message cannot be prepared.
            cursor = await connection.execute(statement.encode(), prepare=False)
            while cursor.nextset():
                pass
            transaction = Transaction(connection, scope, self.clock, self.service)
            yield transaction, cursor.rowcount > 0
            told = await transaction.write_outbox()
            await connection.commit()
        except BaseException:
            if not connection.closed:
                await connection.rollback()
            raise
        transaction.committed()
        if told:
            self.committed.set()


_joined: ContextVar[Transaction] = ContextVar("joined_transaction")


class joined:
    """Make a transaction the one that event handlers work in, for the length of a block."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> None:
        self._token = _joined.set(self._transaction)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _joined.reset(self._token)


class Units(Generic[StoreT]):
    """Units of work of one service: a transaction wrapped in the service's own store.

    Edges open one with `units(scope)`; event handlers use `units.joined()`, the store of the transaction in
    which the event was claimed.
    """

    def __init__(self, database: Database, store: Callable[[Transaction], StoreT]) -> None:
        self._database = database
        self._store = store

    def __call__(self, scope: Scope) -> AbstractAsyncContextManager[StoreT]:
        return self._open(scope)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[StoreT]:
        """A store for one look as nobody; see `Database.glance`."""
        async with self._database.glance() as transaction:
            yield self._store(transaction)

    def joined(self) -> StoreT:
        return self._store(_joined.get())

    @asynccontextmanager
    async def _open(self, scope: Scope) -> AsyncIterator[StoreT]:
        async with self._database.transaction(scope) as transaction:
            yield self._store(transaction)
