"""One transaction as the use cases see it, and how they open one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from kit.database import Units

from auth.ports.api_keys import ApiKeys
from auth.ports.borrowings import Borrowings
from auth.ports.connections import Authorisations, Closing, Connections, Grants, Leases
from auth.ports.endings import Endings
from auth.ports.letters import Letters, Proofs
from auth.ports.notices import Notices
from auth.ports.openid import Identities
from auth.ports.organisations import Organisations
from auth.ports.people import Accounts
from auth.ports.photos import Photos
from auth.ports.second_factors import Ceremonies, Passkeys, SecondFactors
from auth.ports.sign_in import Attempts, Security, Sessions
from auth.ports.withdrawals import Withdrawals
from auth.ports.workspaces import Invitations, Members, Workspaces


class Store(Protocol):
    """Everything auth stores, within one transaction."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def organisations(self) -> Organisations: ...

    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def members(self) -> Members: ...

    @property
    def invitations(self) -> Invitations: ...

    @property
    def authorisations(self) -> Authorisations: ...

    @property
    def connections(self) -> Connections: ...

    @property
    def grants(self) -> Grants: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def endings(self) -> Endings: ...

    @property
    def borrowings(self) -> Borrowings: ...

    @property
    def closing(self) -> Closing: ...

    @property
    def api_keys(self) -> ApiKeys: ...

    @property
    def notices(self) -> Notices: ...

    @property
    def withdrawals(self) -> Withdrawals: ...

    @property
    def letters(self) -> Letters: ...

    @property
    def proofs(self) -> Proofs: ...

    @property
    def attempts(self) -> Attempts: ...

    @property
    def security(self) -> Security: ...

    @property
    def photos(self) -> Photos: ...

    @property
    def ceremonies(self) -> Ceremonies: ...

    @property
    def second_factors(self) -> SecondFactors: ...

    @property
    def passkeys(self) -> Passkeys: ...

    @property
    def identities(self) -> Identities: ...

    async def forget_stale(self) -> None:
        """Delete what is over: sessions, authorisations, leases, proofs, sign-ups, counted failures, old places,
        invitations, notices, ways to providers."""

    def now(self) -> datetime:
        """The present time by the service's clock."""

    def emit(self, event: Event) -> UUID:
        """Tell an event when the transaction commits."""


Transactions = Units[Store]
"""Opens a transaction for a scope: `async with transactions(Scope.account(account_id)) as store`."""
