"""Counted failures and the security log in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Transaction
from kit.ids import new_id

from auth.domain.attempts import KEPT, Counter
from auth.domain.clients import Client
from auth.domain.security import EVENTS_KEPT, PLACE_KEPT, Familiarity, SecurityEvent, SecurityKind


class StoredAttempts:
    """Implements `auth.ports.sign_in.Attempts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, key: bytes) -> Counter:
        found = await self._transaction.first(
            Counter, "SELECT failures, failed_at, blocked_until FROM attempt_of(%s)", (key,)
        )
        assert found is not None
        return found

    async def note(self, key: bytes, counter: Counter, *, account_id: UUID | None) -> None:
        await self._transaction.execute(
            "SELECT note_attempt(%s, %s, %s, %s, %s)",
            (key, account_id, counter.failures, counter.failed_at, counter.blocked_until),
        )

    async def forgive(self, key: bytes, *, one: bool) -> None:
        await self._transaction.execute("SELECT forgive_attempt(%s, %s)", (key, one))


class StoredSecurity:
    """Implements `auth.ports.sign_in.Security`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def record(
        self, account_id: UUID, kind: SecurityKind, client: Client, *, at: datetime, session_id: UUID | None = None
    ) -> None:
        known = client.address is not None
        await self._transaction.execute(
            "INSERT INTO security_event (event_id, account_id, kind, occurred_at, session_id, client_address,"
            " client_network, device, user_agent) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                new_id(), account_id, kind, at, session_id, client.address, client.network if known else None,
                client.device if known else None, client.user_agent if known else None,
            ),
        )  # fmt: skip

    async def of_account(self, account_id: UUID, *, before: UUID | None, limit: int) -> list[SecurityEvent]:
        return await self._transaction.all(
            SecurityEvent,
            "SELECT event_id, kind, occurred_at, session_id, client_address, device, user_agent FROM security_event e"
            " WHERE account_id = %(account_id)s AND (%(before)s::uuid IS NULL OR (occurred_at, event_id) <"
            " (SELECT occurred_at, event_id FROM security_event WHERE event_id = %(before)s))"
            " ORDER BY occurred_at DESC, event_id DESC LIMIT %(limit)s",
            {"account_id": account_id, "before": before, "limit": limit},
        )

    async def count(self, account_id: UUID, kind: SecurityKind, *, since: datetime) -> int:
        found: int = await self._transaction.scalar(
            "SELECT count(*) FROM security_event WHERE account_id = %s AND kind = %s AND occurred_at > %s",
            (account_id, kind, since),
        )
        return found

    async def familiarity(self, account_id: UUID | None, client: Client, *, now: datetime) -> Familiarity:
        found = await self._transaction.scalar(
            "SELECT familiarity(%s, %s, %s, %s)", (account_id, client.network, client.device, now - PLACE_KEPT)
        )
        return Familiarity(found)


async def forget_places(transaction: Transaction, *, now: datetime) -> None:
    """Take network address and user agent out of what is old, and delete what is older still."""
    await transaction.execute(
        "UPDATE security_event SET client_address = NULL, client_network = NULL, device = NULL, user_agent = NULL"
        " WHERE occurred_at <= %s AND client_network IS NOT NULL",
        (now - PLACE_KEPT,),
    )
    await transaction.execute("DELETE FROM security_event WHERE occurred_at <= %s", (now - EVENTS_KEPT,))
    await transaction.execute("DELETE FROM attempt WHERE failed_at <= %s", (now - KEPT,))
