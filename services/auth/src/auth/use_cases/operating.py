"""What an operator does about accounts: find one, erase one at once, tell many something."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog
from kit.database import Scope
from kit.problems import NotFound

from auth.domain.accounts import Account, normalised
from auth.domain.audiences import Audience
from auth.domain.letters import LetterKind
from auth.ports.store import Transactions

log = structlog.get_logger("operating")


async def find_account(transactions: Transactions, named: str) -> Account:
    """The account with this id or address. Raises `NotFound`."""
    account_id = _id_of(named)
    if account_id is None:
        async with transactions(Scope.nobody()) as store:
            account_id = await store.accounts.id_of(normalised(named))
    async with transactions(Scope.worker()) as store:
        account = await store.accounts.find(account_id) if account_id else None
    if account is None:
        raise NotFound()
    return account


async def erase_account(transactions: Transactions, account_id: UUID) -> None:
    """End an account without its password, for a child or for who asks by mail. Raises `NotFound`.

    Sign-in and sessions end in this transaction. The rest is what a person's own deletion does, and a loop of auth does
    it within seconds: a closing that nobody works on any more is taken up.
    """
    async with transactions(Scope.worker()) as store:
        now = store.now()
        if not await store.closing.begin(account_id, at=now, until=now):
            raise NotFound()
        await store.organisations.hand_over(account_id, at=now)
    log.info("account_erased_by_operator", account_id=str(account_id))


async def count_people(transactions: Transactions, audience: Audience) -> int:
    """How many would be told."""
    async with transactions(Scope.worker()) as store:
        return await store.accounts.count(audience)


async def tell_people(
    transactions: Transactions, audience: Audience, kind: LetterKind, facts: Mapping[str, str]
) -> int:
    """Write everybody a letter, all or none; returns how many."""
    async with transactions(Scope.worker()) as store:
        told = await store.letters.add_for(audience, kind, facts, at=store.now())
    log.info("people_told", kind=kind.value, letters=told)
    return told


def _id_of(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None
