"""Read and correct what an account says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.auth import AccountUpdatedV1
from kit.problems import Unauthenticated

from auth.domain.accounts import Account, check_time_zone
from auth.ports.store import Store


async def read_account(store: Store, account_id: UUID) -> Account:
    account = await store.accounts.find(account_id)
    if account is None:
        # The passport outlived the account by seconds.
        raise Unauthenticated()
    return account


async def correct_account(store: Store, account_id: UUID, changes: Mapping[str, Any]) -> Account:
    """The account with `changes` (fields by name) made to it."""
    account = replace(await read_account(store, account_id), **changes)
    check_time_zone(account.time_zone)
    await store.accounts.correct(account)
    store.emit(AccountUpdatedV1(account_id=account_id))
    return account
