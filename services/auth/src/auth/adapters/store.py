"""One transaction with everything auth stores in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.event import Event
from kit.database import Transaction

from auth.adapters.people import StoredAccounts, StoredSessions, StoredWorkspaces


class PostgresStore:
    """Implements `auth.ports.store.Store`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.accounts = StoredAccounts(transaction)
        self.sessions = StoredSessions(transaction)
        self.workspaces = StoredWorkspaces(transaction)

    def now(self) -> datetime:
        return self._transaction.clock.now()

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)
