"""The data keys, in a PostgreSQL database apart from the ciphertexts.

Requests read keys by their ids, through a function, and can list none. Listing needs the worker's role, which does not
see what a key is wrapped in; only the owner, as whom operators rotate, sees both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import migrations
from kit.database import Database, Scope
from kit.settings import SettingError

from auth.domain.vault import DataKey, WrappedKey

STORE = "auth_keys"
"""The database, and the beginning of its roles' names."""


@dataclass(frozen=True)
class _Found:
    data_key_id: UUID
    wrapped_key: bytes
    key_id: str


@dataclass(frozen=True)
class _Count:
    key_id: str
    keys: int


class StoredKeyring:
    """Implements `auth.ports.vault.Keyring`, as the owner of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count_by_key(self) -> Mapping[str, int]:
        async with self._database.transaction(Scope.nobody()) as transaction:
            rows = await transaction.all(
                _Count, "SELECT key_id, count(*) AS keys FROM grant_key GROUP BY key_id ORDER BY key_id"
            )
        return {row.key_id: row.keys for row in rows}

    async def last_rewrapped_at(self) -> datetime | None:
        async with self._database.transaction(Scope.nobody()) as transaction:
            at: datetime | None = await transaction.scalar(
                "SELECT max(wrapped_at) FROM grant_key WHERE wrapped_at > created_at"
            )
            return at

    async def not_wrapped_by(self, key_id: str, *, after: UUID | None, limit: int) -> list[DataKey]:
        async with self._database.transaction(Scope.nobody()) as transaction:
            return await transaction.all(
                DataKey,
                "SELECT data_key_id, connection_id, workspace_id, wrapped_key, key_id FROM grant_key"
                " WHERE key_id <> %(key_id)s AND (%(after)s::uuid IS NULL OR data_key_id > %(after)s)"
                " ORDER BY data_key_id LIMIT %(limit)s",
                {"key_id": key_id, "after": after, "limit": limit},
            )

    async def replace(self, rewrapped: Mapping[UUID, tuple[WrappedKey, WrappedKey]]) -> None:
        now = self._database.clock.now()
        async with self._database.transaction(Scope.nobody()) as transaction:
            await transaction.execute_many(
                "UPDATE grant_key SET wrapped_key = %s, key_id = %s, wrapped_at = %s"
                " WHERE data_key_id = %s AND wrapped_key = %s",
                [
                    (new.wrapped_key, new.key_id, now, data_key_id, old.wrapped_key)
                    for data_key_id, (old, new) in rewrapped.items()
                ],
            )


class StoredKeys:
    """Implements `auth.ports.vault.Keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The pool, if the database is where the code needs it."""
        await self._database.open()
        try:
            at, needed = await self._database.migrated_to(), migrations.head(STORE)
            if at is None or at < needed:
                raise SettingError(f"auth's database of keys is at {at}, the code needs {needed}: run signoff migrate")
            yield
        finally:
            await self._database.close()

    async def add(self, key: DataKey) -> None:
        now = self._database.clock.now()
        async with self._database.transaction(Scope.nobody()) as transaction:
            await transaction.execute(
                "INSERT INTO grant_key (data_key_id, connection_id, workspace_id, wrapped_key, key_id, created_at,"
                " wrapped_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (key.data_key_id, key.connection_id, key.workspace_id, key.wrapped_key, key.key_id, now, now),
            )

    async def find(self, data_key_ids: Sequence[UUID]) -> Mapping[UUID, WrappedKey]:
        async with self._database.transaction(Scope.nobody()) as transaction:
            rows = await transaction.all(
                _Found, "SELECT data_key_id, wrapped_key, key_id FROM keys_of(%s)", (list(data_key_ids),)
            )
        return {row.data_key_id: WrappedKey(row.wrapped_key, row.key_id) for row in rows}

    async def destroy(self, data_key_ids: Sequence[UUID]) -> None:
        async with self._database.transaction(Scope.nobody()) as transaction:
            await transaction.execute("SELECT destroy_keys(%s)", (list(data_key_ids),))

    async def destroy_of(self, connection_id: UUID) -> None:
        async with self._database.transaction(Scope.worker()) as transaction:
            await transaction.execute("DELETE FROM grant_key WHERE connection_id = %s", (connection_id,))

    async def older_than(self, before: datetime, *, after: UUID | None, limit: int) -> list[UUID]:
        async with self._database.transaction(Scope.worker()) as transaction:
            return await transaction.scalars(
                "SELECT data_key_id FROM grant_key WHERE created_at < %(before)s"
                " AND (%(after)s::uuid IS NULL OR data_key_id > %(after)s) ORDER BY data_key_id LIMIT %(limit)s",
                {"before": before, "after": after, "limit": limit},
            )

    async def count(self) -> int:
        async with self._database.transaction(Scope.worker()) as transaction:
            total: int = await transaction.scalar("SELECT count(*) FROM grant_key")
            return total
