"""Sign up, and read and correct what an account says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from contracts.auth import AccountRegisteredV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import Unauthenticated
from kit.secret import Secret

from auth.domain.accounts import Account, AddressTaken, check_sign_up, check_time_zone, normalised
from auth.ports.people import PasswordHashes
from auth.ports.store import Store, Transactions


@dataclass(frozen=True)
class SignUp:
    """What a new person tells."""

    email: str
    password: Secret
    full_name: str | None
    company: str | None
    time_zone: str
    language: str
    age_attested: bool


async def sign_up(transactions: Transactions, asked: SignUp, *, hashes: PasswordHashes) -> UUID:
    """A new account's id. Raises `Invalid`, `AddressTaken`."""
    email = normalised(asked.email)
    check_sign_up(email=email, password=asked.password, time_zone=asked.time_zone, age_attested=asked.age_attested)
    password_hash = await hashes.make(asked.password)
    account_id = new_id()
    async with transactions(Scope.account(account_id)) as store:
        now = store.now()
        account = Account(account_id, email, asked.full_name, asked.company, asked.time_zone, asked.language, now)
        if not await store.accounts.add(account, age_attested_at=now):
            raise AddressTaken()
        await store.accounts.set_password_hash(account_id, password_hash, at=now)
        store.emit(AccountRegisteredV1(account_id=account_id))
    return account_id


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
    return account
