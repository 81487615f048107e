"""API keys in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.api_keys import KEPT, TOUCH_EVERY, ApiKey, KeyHash, KeyHolder

_SELECT = (
    "SELECT key_id, name, prefix, permissions, connection_ids, account_id AS created_by, created_at, expires_at,"
    " last_used_at, revoked_at FROM api_key WHERE workspace_id = %s"
)


class StoredApiKeys:
    """Implements `auth.ports.api_keys.ApiKeys`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def hold_workspace(self, workspace_id: UUID) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM workspace WHERE workspace_id = %s AND deleted_at IS NULL FOR NO KEY UPDATE", (workspace_id,)
        )
        return found is not None

    async def count_active(self, workspace_id: UUID, *, at: datetime) -> int:
        counted: int = await self._transaction.scalar(
            "SELECT count(*) FROM api_key WHERE workspace_id = %s AND revoked_at IS NULL AND expires_at > %s",
            (workspace_id, at),
        )
        return counted

    async def add(self, workspace_id: UUID, key: ApiKey) -> None:
        await self._transaction.execute(
            "INSERT INTO api_key (key_id, workspace_id, account_id, name, prefix, permissions, connection_ids,"
            " created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                key.key_id, workspace_id, key.created_by, key.name, key.prefix, key.permissions, key.connection_ids,
                key.created_at, key.expires_at,
            ),
        )  # fmt: skip

    async def add_secret(self, workspace_id: UUID, key_id: UUID, secret: KeyHash, *, expires_at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO api_key_secret (key_hash, workspace_id, key_id, pepper_id, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            (secret.value, workspace_id, key_id, secret.pepper_id, expires_at),
        )

    async def of_workspace(self, workspace_id: UUID) -> list[ApiKey]:
        return await self._transaction.all(ApiKey, _SELECT + " ORDER BY created_at DESC, key_id", (workspace_id,))

    async def locked(self, workspace_id: UUID, key_id: UUID) -> ApiKey | None:
        return await self._transaction.first(ApiKey, _SELECT + " AND key_id = %s FOR UPDATE", (workspace_id, key_id))

    async def end_secrets(self, workspace_id: UUID, key: ApiKey, *, at: datetime) -> None:
        # The present secret ends with the key, those before it sooner.
        await self._transaction.execute(
            "DELETE FROM api_key_secret WHERE workspace_id = %s AND key_id = %s AND expires_at < %s",
            (workspace_id, key.key_id, key.expires_at),
        )
        await self._transaction.execute(
            "UPDATE api_key_secret SET expires_at = least(expires_at, %s) WHERE workspace_id = %s AND key_id = %s",
            (at, workspace_id, key.key_id),
        )

    async def replace(self, workspace_id: UUID, key_id: UUID, *, prefix: str, expires_at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE api_key SET prefix = %s, expires_at = %s WHERE workspace_id = %s AND key_id = %s",
            (prefix, expires_at, workspace_id, key_id),
        )

    async def revoke(self, workspace_id: UUID, key_id: UUID, *, at: datetime) -> None:
        await self._transaction.execute(
            "DELETE FROM api_key_secret WHERE workspace_id = %s AND key_id = %s", (workspace_id, key_id)
        )
        await self._transaction.execute(
            "UPDATE api_key SET revoked_at = %s WHERE workspace_id = %s AND key_id = %s", (at, workspace_id, key_id)
        )

    async def holder_of(self, hashes: Sequence[KeyHash]) -> KeyHolder | None:
        return await self._transaction.first(
            KeyHolder,
            "SELECT key_id, account_id, workspace_id, permissions, connection_ids, last_used_at, expires_at, role,"
            " key_hash, pepper_id FROM key_holder_of(%s)",
            ([each.value for each in hashes],),
        )

    async def note_use(self, holder: KeyHolder, newest: KeyHash, *, at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE api_key SET last_used_at = %s"
            " WHERE workspace_id = %s AND key_id = %s AND (last_used_at IS NULL OR last_used_at <= %s)",
            (at, holder.workspace_id, holder.key_id, at - TOUCH_EVERY),
        )
        if holder.pepper_id != newest.pepper_id:
            await self._transaction.execute(
                "UPDATE api_key_secret SET key_hash = %s, pepper_id = %s WHERE workspace_id = %s AND key_hash = %s",
                (newest.value, newest.pepper_id, holder.workspace_id, holder.key_hash),
            )

    async def forget(self, *, at: datetime) -> None:
        await self._transaction.execute("DELETE FROM api_key_secret WHERE expires_at <= %s", (at,))
        await self._transaction.execute(
            "DELETE FROM api_key WHERE least(revoked_at, expires_at) <= %s AND NOT EXISTS"
            " (SELECT 1 FROM api_key_secret s WHERE s.key_id = api_key.key_id)",
            (at - KEPT,),
        )
