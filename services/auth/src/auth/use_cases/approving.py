"""Let new people in or not, where an operator decides."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.auth import AccountApprovedV1
from kit.database import Scope
from kit.problems import NotFound

from auth.domain.accounts import Account, AccountState
from auth.domain.connections import FLIGHT
from auth.domain.letters import Letter, LetterKind
from auth.ports.store import Store, Transactions
from auth.use_cases.closing import OpenedErasure, tell_closed

WAITING_MAX = 1_000
"""Accounts of one list; who decided about them sees the next."""


async def list_waiting(store: Store) -> Sequence[Account]:
    """Who waits, longest first. The store's scope is the worker's."""
    return await store.accounts.in_state(AccountState.WAITING, limit=WAITING_MAX)


async def approve(transactions: Transactions, account_id: UUID) -> None:
    """Raises `NotFound` unless the account waits."""
    async with transactions(Scope.account(account_id)) as store:
        if not await store.accounts.set_state(account_id, AccountState.ACTIVE, before=AccountState.WAITING):
            raise NotFound()
        account = await store.accounts.find(account_id)
        assert account is not None, "it has just been written"
        store.emit(AccountApprovedV1(account_id=account_id))
        await store.letters.add(
            Letter(LetterKind.ACCOUNT_APPROVED, account.email, account_id=account_id), at=store.now()
        )


async def refuse(transactions: Transactions, account_id: UUID) -> list[OpenedErasure]:
    """Erase the account and say so. Raises `NotFound` unless it waits. It never signed in, so it has nothing to end."""
    async with transactions(Scope.worker()) as store:
        account, now = await store.accounts.find(account_id), store.now()
        if account is None or await store.accounts.state_of(account_id) != AccountState.WAITING:
            raise NotFound()
        if not await store.closing.begin(account_id, at=now, until=now + FLIGHT):
            raise NotFound()
        # Without the account's id, so that the erasure does not take the letter with it.
        facts = {"language": account.language}
        await store.letters.add(Letter(LetterKind.ACCOUNT_REFUSED, account.email, facts=facts), at=now)
    return await tell_closed(transactions, account_id)
