"""People on their way to an OpenID provider and back, and their identities, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.openid import Identity, Journey, Owner, Started, Waiting


class StoredIdentities:
    """Implements `auth.ports.openid.Identities`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def start(self, journey: Journey, started: Started) -> None:
        await self._transaction.execute(
            "INSERT INTO openid_start (state_hash, browser_hash, provider, purpose, account_id, session_id, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                journey.state_hash, journey.browser_hash, started.provider, started.purpose, started.account_id,
                started.session_id, started.expires_at,
            ),
        )  # fmt: skip

    async def take(self, journey: Journey) -> Started | None:
        return await self._transaction.first(
            Started,
            "SELECT provider, purpose, account_id, session_id, expires_at FROM take_openid_start(%s, %s)",
            (journey.state_hash, journey.browser_hash),
        )

    async def await_details(self, browser_hash: bytes, waiting: Waiting) -> None:
        await self._transaction.execute(
            "INSERT INTO openid_waiting (browser_hash, account_id, issuer, subject, email, full_name, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (
                browser_hash, waiting.account_id, waiting.issuer, waiting.subject, waiting.email, waiting.full_name,
                waiting.expires_at,
            ),
        )  # fmt: skip

    async def waiting(self, browser_hash: bytes) -> Waiting | None:
        return await self._transaction.first(
            Waiting,
            "SELECT account_id, issuer, subject, email, full_name, expires_at FROM openid_waiting_of(%s)",
            (browser_hash,),
        )

    async def take_waiting(self, account_id: UUID) -> bool:
        return bool(await self._transaction.execute("DELETE FROM openid_waiting WHERE account_id = %s", (account_id,)))

    async def owner_of(self, issuer: str, subject: str) -> Owner | None:
        return await self._transaction.first(
            Owner, "SELECT account_id, state FROM owner_of_identity(%s, %s)", (issuer, subject)
        )

    async def add(self, identity: Identity) -> bool:
        return bool(
            await self._transaction.execute(
                "INSERT INTO identity (identity_id, account_id, issuer, subject, email, linked_at)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    identity.identity_id, identity.account_id, identity.issuer, identity.subject, identity.email,
                    identity.linked_at,
                ),
            )
        )  # fmt: skip

    async def of_account(self, account_id: UUID) -> list[Identity]:
        return await self._transaction.all(
            Identity,
            "SELECT identity_id, account_id, issuer, subject, email, linked_at FROM identity WHERE account_id = %s"
            " ORDER BY identity_id FOR UPDATE",
            (account_id,),
        )

    async def remove(self, identity_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM identity WHERE identity_id = %s", (identity_id,))


async def forget_ways(transaction: Transaction, now: datetime) -> None:
    """Delete what people left behind who have not come back in time."""
    await transaction.execute("DELETE FROM openid_start WHERE expires_at <= %s", (now,))
    await transaction.execute("DELETE FROM openid_waiting WHERE expires_at <= %s", (now,))
