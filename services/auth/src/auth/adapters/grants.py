"""Sealed grants, who borrows them, and authorisations on their way, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from kit.database import Transaction

from auth.domain.authorising import Authorisation, LapsedChoice, Stage
from auth.domain.vault import Ciphertext, DataKey, SealedGrant
from auth.ports.connections import Standing


class StoredAuthorisations:
    """Implements `auth.ports.connections.Authorisations`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(
        self, state_hash: bytes, started: Authorisation, *, account_id: UUID, stage: Stage = Stage.AWAY
    ) -> None:
        await self._transaction.execute(
            "INSERT INTO authorisation (state_hash, workspace_id, account_id, platform, wrapped_key, key_id, nonce,"
            " ciphertext, expires_at, stage) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                state_hash, started.workspace_id, account_id, started.platform, started.wrapped_key, started.key_id,
                started.nonce, started.ciphertext, started.expires_at, stage,
            ),
        )  # fmt: skip

    async def find(self, state_hash: bytes, *, account_id: UUID, stage: Stage) -> Authorisation | None:
        return await self._transaction.first(
            Authorisation,
            "SELECT workspace_id, platform, wrapped_key, key_id, nonce, ciphertext, expires_at FROM authorisation"
            " WHERE state_hash = %s AND account_id = %s AND stage = %s",
            (state_hash, account_id, stage),
        )

    async def take(self, state_hash: bytes, *, account_id: UUID, stage: Stage = Stage.AWAY) -> Authorisation | None:
        return await self._transaction.first(
            Authorisation,
            "DELETE FROM authorisation WHERE state_hash = %s AND account_id = %s AND stage = %s"
            " RETURNING workspace_id, platform, wrapped_key, key_id, nonce, ciphertext, expires_at",
            (state_hash, account_id, stage),
        )

    async def take_lapsed(self, *, now: datetime, limit: int) -> list[LapsedChoice]:
        return await self._transaction.all(
            LapsedChoice,
            "DELETE FROM authorisation WHERE state_hash IN (SELECT state_hash FROM authorisation"
            " WHERE stage = 'choosing' AND expires_at <= %s ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING state_hash, platform, wrapped_key, key_id, nonce, ciphertext",
            (now, limit),
        )


async def cancel_authorisations(transaction: Transaction, where: LiteralString, parameters: Mapping[str, Any]) -> None:
    """End what is on its way. A grant that waits for a choice lapses: it is to be ended at its platform too."""
    await transaction.execute(f"DELETE FROM authorisation WHERE stage = 'away' AND ({where})", parameters)  # noqa: S608
    await transaction.execute(
        f"UPDATE authorisation SET expires_at = least(expires_at, %(lapsed_at)s) WHERE {where}",  # noqa: S608
        {**parameters, "lapsed_at": transaction.clock.now()},
    )


async def forget_authorisations(transaction: Transaction, now: datetime) -> None:
    """Those whose person did not come back. Choices that lapse are taken by who ends them at the platform."""
    await transaction.execute("DELETE FROM authorisation WHERE stage = 'away' AND expires_at <= %s", (now,))


class StoredGrants:
    """Implements `auth.ports.connections.Grants`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, connection_id: UUID) -> SealedGrant | None:
        found = await self.find_all([connection_id])
        return found[0] if found else None

    async def find_all(self, connection_ids: Sequence[UUID]) -> list[SealedGrant]:
        return await self._transaction.all(
            SealedGrant,
            "SELECT connection_id, generation, data_key_id, nonce, ciphertext FROM sealed_grant g"
            " WHERE connection_id = ANY(%s) AND data_key_id IS NOT NULL"
            # A key that still lies here counts more than the one that is named, until it is moved.
            " AND NOT EXISTS (SELECT 1 FROM data_key d WHERE d.connection_id = g.connection_id)",
            (list(connection_ids),),
        )

    async def named(self, data_key_ids: Sequence[UUID]) -> set[UUID]:
        return set(
            await self._transaction.scalars(
                "SELECT data_key_id FROM sealed_grant WHERE data_key_id = ANY(%(ids)s)"
                " UNION ALL SELECT data_key_id FROM totp WHERE data_key_id = ANY(%(ids)s)",
                {"ids": list(data_key_ids)},
            )
        )

    async def put(self, connection_id: UUID, workspace_id: UUID, grant: SealedGrant, *, at: datetime) -> bool:
        written = await self._transaction.execute(
            "INSERT INTO sealed_grant (connection_id, workspace_id, generation, data_key_id, nonce, ciphertext,"
            " sealed_at) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (connection_id) DO UPDATE SET"
            " generation = excluded.generation, data_key_id = excluded.data_key_id, nonce = excluded.nonce,"
            " ciphertext = excluded.ciphertext, sealed_at = excluded.sealed_at"
            " WHERE sealed_grant.generation = excluded.generation - 1",
            (
                connection_id, workspace_id, grant.generation, grant.data_key_id, grant.nonce, grant.ciphertext, at,
            ),
        )  # fmt: skip
        return bool(written)

    async def renew(self, connection_id: UUID, generation: int, text: Ciphertext, *, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE sealed_grant SET generation = %s, nonce = %s, ciphertext = %s, sealed_at = %s"
                " WHERE connection_id = %s AND generation = %s",
                (generation, text.nonce, text.ciphertext, at, connection_id, generation - 1),
            )
        )

    async def destroy(self, connection_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM lease WHERE connection_id = %s", (connection_id,))
        await self._transaction.execute("DELETE FROM data_key WHERE connection_id = %s", (connection_id,))
        await self._transaction.execute("DELETE FROM sealed_grant WHERE connection_id = %s", (connection_id,))

    async def shred(self, connection_ids: Sequence[UUID]) -> list[UUID]:
        # A generation further, so that a renewal on its way does not write into what is gone.
        keys = await self._transaction.scalars(
            "WITH grants AS (SELECT connection_id, data_key_id FROM sealed_grant WHERE connection_id = ANY(%s)"
            "  FOR UPDATE),"
            " moved AS (DELETE FROM data_key d USING grants WHERE d.connection_id = grants.connection_id)"
            " UPDATE sealed_grant g SET generation = generation + 1, data_key_id = NULL, nonce = '', ciphertext = ''"
            " FROM grants WHERE g.connection_id = grants.connection_id RETURNING grants.data_key_id",
            (list(connection_ids),),
        )
        return [key for key in keys if key is not None]

    async def keys_to_move(self, limit: int) -> list[DataKey]:
        return await self._transaction.all(
            DataKey,
            "SELECT gen_random_uuid() AS data_key_id, connection_id, workspace_id, wrapped_key, key_id FROM data_key"
            " LIMIT %s",
            (limit,),
        )

    async def key_moved(self, key: DataKey) -> None:
        # Not if it was replaced meanwhile: then another one is moved, and the copy is swept.
        moved = await self._transaction.execute(
            "DELETE FROM data_key WHERE connection_id = %s AND wrapped_key = %s", (key.connection_id, key.wrapped_key)
        )
        if moved:
            await self._transaction.execute(
                "UPDATE sealed_grant SET data_key_id = %s WHERE connection_id = %s",
                (key.data_key_id, key.connection_id),
            )


class StoredLeases:
    """Implements `auth.ports.connections.Leases`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def hold(self, connection_ids: Sequence[UUID]) -> list[Standing]:
        # In one order, so that a freeze of many and a request for many never wait for each other.
        return await self._transaction.all(
            Standing,
            "SELECT connection_id, workspace_id, platform, handle, state, expires_at, refreshing_until,"
            " refresh_at IS NOT NULL AS renewable FROM connection WHERE connection_id = ANY(%s)"
            " ORDER BY connection_id FOR SHARE",
            (list(connection_ids),),
        )

    async def add(self, leases: Mapping[UUID, Standing], *, borrower: str, purpose: str, expires_at: datetime) -> None:
        await self._transaction.execute_many(
            "INSERT INTO lease (lease_id, connection_id, workspace_id, borrower, purpose, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (lease_id, standing.connection_id, standing.workspace_id, borrower, purpose, expires_at)
                for lease_id, standing in leases.items()
            ],
        )

    async def give_back(self, lease_ids: Sequence[UUID], *, borrower: str) -> None:
        await self._transaction.execute(
            "DELETE FROM lease WHERE lease_id = ANY(%s) AND borrower = %s", (list(lease_ids), borrower)
        )
