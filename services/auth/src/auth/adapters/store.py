"""One transaction with everything auth stores in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.event import Event
from kit.database import Transaction

from auth.adapters.closing import StoredClosing
from auth.adapters.connections import StoredConnections
from auth.adapters.grants import StoredAuthorisations, StoredGrants, StoredLeases
from auth.adapters.letters import StoredLetters
from auth.adapters.people import StoredAccounts, StoredSessions, StoredWorkspaces
from auth.domain.sessions import IDLE_LIFETIME


class PostgresStore:
    """Implements `auth.ports.store.Store`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.accounts = StoredAccounts(transaction)
        self.sessions = StoredSessions(transaction)
        self.workspaces = StoredWorkspaces(transaction)
        self.authorisations = StoredAuthorisations(transaction)
        self.connections = StoredConnections(transaction)
        self.grants = StoredGrants(transaction)
        self.leases = StoredLeases(transaction)
        self.closing = StoredClosing(transaction)
        self.letters = StoredLetters(transaction)

    async def forget_stale(self) -> None:
        now = self.now()
        await self._transaction.execute(
            "DELETE FROM session WHERE expires_at <= %s OR last_used_at <= %s", (now, now - IDLE_LIFETIME)
        )
        await self._transaction.execute("DELETE FROM authorisation WHERE expires_at <= %s", (now,))
        await self._transaction.execute("DELETE FROM lease WHERE expires_at <= %s", (now,))

    def now(self) -> datetime:
        return self._transaction.clock.now()

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)
