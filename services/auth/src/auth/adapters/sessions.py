"""Sessions in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.clients import Client
from auth.domain.sessions import Holder, OwnSession, Proof, Session


class StoredSessions:
    """Implements `auth.ports.sign_in.Sessions`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(
        self, session: Session, token_hash: bytes, *, client: Client, strong: bool, at: datetime, at_most: int
    ) -> bool:
        # The account's row is held, so that no session is born while the account is being deleted, and so that those
        # who sign in at the same time count each other.
        added = await self._transaction.execute(
            "INSERT INTO session (session_id, account_id, token_hash, created_at, last_used_at, proved_at, expires_at,"
            " strong, device, client_address) SELECT %(session_id)s, account_id, %(token_hash)s, %(at)s, %(at)s,"
            " %(at)s, %(expires_at)s, %(strong)s, %(device)s, %(address)s FROM account"
            " WHERE account_id = %(account_id)s AND deleted_at IS NULL FOR NO KEY UPDATE",
            {
                "session_id": session.session_id, "account_id": session.account_id, "token_hash": token_hash, "at": at,
                "expires_at": session.expires_at, "strong": strong, "device": client.device, "address": client.address,
            },
        )  # fmt: skip
        await self._transaction.execute(
            "DELETE FROM session WHERE session_id IN (SELECT session_id FROM session WHERE account_id = %s"
            " ORDER BY created_at DESC, session_id DESC OFFSET %s)",
            (session.account_id, at_most),
        )
        return bool(added)

    async def holder_of(self, token_hash: bytes, workspace_id: UUID | None) -> Holder | None:
        return await self._transaction.first(
            Holder,
            "SELECT session_id, account_id, last_used_at, expires_at, role, second_factor_missing"
            " FROM holder_of(%s, %s)",
            (token_hash, workspace_id),
        )

    async def of_account(self, account_id: UUID) -> list[OwnSession]:
        return await self._transaction.all(
            OwnSession,
            "SELECT session_id, device, client_address, strong, created_at, last_used_at, expires_at FROM session"
            " WHERE account_id = %s ORDER BY last_used_at DESC, session_id",
            (account_id,),
        )

    async def proof(self, session_id: UUID) -> Proof | None:
        return await self._transaction.first(
            Proof, "SELECT proved_at, strong FROM session WHERE session_id = %s", (session_id,)
        )

    async def renew(self, session_id: UUID, token_hash: bytes, *, strong: bool, at: datetime) -> Session | None:
        return await self._transaction.first(
            Session,
            "UPDATE session SET token_hash = %s, proved_at = %s, strong = strong OR %s WHERE session_id = %s"
            " RETURNING session_id, account_id, expires_at",
            (token_hash, at, strong, session_id),
        )

    async def date_proof(self, session_id: UUID, proved_at: datetime | None) -> None:
        await self._transaction.execute(
            "UPDATE session SET proved_at = %s WHERE session_id = %s", (proved_at, session_id)
        )

    async def touch(self, session_id: UUID, *, at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE session SET last_used_at = %s WHERE session_id = %s AND last_used_at < %s", (at, session_id, at)
        )

    async def end(self, session_id: UUID) -> bool:
        return bool(await self._transaction.execute("DELETE FROM session WHERE session_id = %s", (session_id,)))

    async def end_all(self, account_id: UUID, *, but: UUID | None = None) -> int:
        return await self._transaction.execute(
            "DELETE FROM session WHERE account_id = %s AND session_id IS DISTINCT FROM %s", (account_id, but)
        )
