"""One transaction with everything auth stores in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from contracts.event import Event
from kit.database import Transaction

from auth.adapters.api_keys import StoredApiKeys
from auth.adapters.borrowings import StoredBorrowings, forget_borrowings
from auth.adapters.closing import StoredClosing
from auth.adapters.connections import StoredConnections
from auth.adapters.endings import StoredEndings
from auth.adapters.grants import StoredAuthorisations, StoredGrants, StoredLeases, forget_authorisations
from auth.adapters.identities import StoredIdentities, forget_ways
from auth.adapters.invitations import StoredInvitations, forget_invitations
from auth.adapters.letters import Dropped, StoredLetters, StoredProofs, forget_letters
from auth.adapters.notices import StoredNotices, forget_notices
from auth.adapters.organisations import StoredOrganisations
from auth.adapters.people import StoredAccounts, forget_sign_ups
from auth.adapters.photos import StoredPhotos
from auth.adapters.second_factors import StoredCeremonies, StoredPasskeys, StoredSecondFactors, forget_ceremonies
from auth.adapters.security import StoredAttempts, StoredSecurity, forget_places
from auth.adapters.sessions import StoredSessions
from auth.adapters.withdrawals import StoredWithdrawals, forget_late_revocations
from auth.adapters.workspaces import StoredMembers, StoredWorkspaces
from auth.domain.sessions import IDLE_LIFETIME


class PostgresStore:
    """Implements `auth.ports.store.Store`. `letter_written` and `letter_dropped` are told after the commit."""

    def __init__(
        self,
        transaction: Transaction,
        *,
        letter_written: Callable[[], None] | None = None,
        letter_dropped: Dropped | None = None,
    ) -> None:
        self._transaction = transaction
        self.accounts = StoredAccounts(transaction)
        self.sessions = StoredSessions(transaction)
        self.organisations = StoredOrganisations(transaction)
        self.workspaces = StoredWorkspaces(transaction)
        self.members = StoredMembers(transaction)
        self.invitations = StoredInvitations(transaction)
        self.authorisations = StoredAuthorisations(transaction)
        self.connections = StoredConnections(transaction)
        self.grants = StoredGrants(transaction)
        self.leases = StoredLeases(transaction)
        self.endings = StoredEndings(transaction)
        self.borrowings = StoredBorrowings(transaction)
        self.closing = StoredClosing(transaction)
        self.api_keys = StoredApiKeys(transaction)
        self.notices = StoredNotices(transaction)
        self.withdrawals = StoredWithdrawals(transaction)
        self.letters = StoredLetters(transaction, letter_written, letter_dropped)
        self.proofs = StoredProofs(transaction)
        self.attempts = StoredAttempts(transaction)
        self.security = StoredSecurity(transaction)
        self.photos = StoredPhotos(transaction)
        self.ceremonies = StoredCeremonies(transaction)
        self.second_factors = StoredSecondFactors(transaction)
        self.passkeys = StoredPasskeys(transaction)
        self.identities = StoredIdentities(transaction)

    async def forget_stale(self) -> None:
        now = self.now()
        await self._transaction.execute(
            "DELETE FROM session WHERE expires_at <= %s OR last_used_at <= %s", (now, now - IDLE_LIFETIME)
        )
        await forget_authorisations(self._transaction, now)
        await self._transaction.execute("DELETE FROM lease WHERE expires_at <= %s", (now,))
        await self.api_keys.forget(at=now)
        await forget_letters(self._transaction, now)
        await forget_sign_ups(self._transaction, now)
        await forget_borrowings(self._transaction, now)
        await forget_notices(self._transaction, now)
        await forget_late_revocations(self._transaction, now)
        await forget_ceremonies(self._transaction, now)
        await forget_places(self._transaction, now=now)
        await forget_invitations(self._transaction, now)
        await forget_ways(self._transaction, now)

    def now(self) -> datetime:
        return self._transaction.clock.now()

    def emit(self, event: Event) -> UUID:
        return self._transaction.emit(event)
