"""`signoff accounts` and `signoff notify`: what an operator decides about people, and what people must be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from auth.adapters.store import PostgresStore
from auth.domain.accounts import Account
from auth.domain.audiences import Audience
from auth.domain.letters import LetterKind
from auth.ports.store import Store, Transactions
from auth.use_cases import approving, operating
from kit.database import Scope, Units
from kit.problems import NotFound
from kit.settings import SettingError

from signoff.opening import with_database

T = TypeVar("T")


@dataclass(frozen=True)
class Addressees:
    """Whom a notice is for, as it is written on the command line."""

    workspace: str | None = None
    platform: str | None = None
    active_from: str | None = None
    active_until: str | None = None

    def audience(self) -> Audience:
        """Raises `SettingError` for what is no id or no time."""
        try:
            return Audience(
                workspace_id=UUID(self.workspace) if self.workspace else None,
                platform=self.platform,
                active_from=_instant(self.active_from),
                active_until=_instant(self.active_until),
            )
        except ValueError as error:
            raise SettingError(str(error)) from None


def list_waiting(data: Path) -> int:
    async def work(transactions: Transactions) -> list[Account]:
        async with transactions(Scope.worker()) as store:
            return list(await approving.list_waiting(store))

    waiting = _done(data, work)
    for account in waiting:
        print(f"{account.account_id}  {account.created_at:%Y-%m-%d %H:%M}  {account.email}")
    print(f"{len(waiting)} waiting" if waiting else "nobody waits")
    return 0


def approve(data: Path, named: str) -> int:
    async def work(transactions: Transactions, account: Account) -> None:
        await approving.approve(transactions, account.account_id)

    account = _decided(data, named, work, "waits for approval")
    print(f"{account.account_id} may sign in, and is told so")
    return 0


def refuse(data: Path, named: str) -> int:
    async def work(transactions: Transactions, account: Account) -> None:
        await approving.refuse(transactions, account.account_id)

    account = _decided(data, named, work, "waits for approval")
    print(f"{account.account_id} is refused, told so and being erased")
    return 0


def erase(data: Path, named: str) -> int:
    async def work(transactions: Transactions, account: Account) -> None:
        await operating.erase_account(transactions, account.account_id)

    account = _decided(data, named, work, "is there")
    print(f"{account.account_id} is signed out everywhere and being erased")
    return 0


def notify(data: Path, kind: LetterKind, facts: Mapping[str, str], addressees: Addressees, *, dry_run: bool) -> int:
    """Write to people, or say how many it would be."""
    audience = addressees.audience()
    empty = sorted(name for name, value in facts.items() if not value.strip())
    if empty:
        raise SettingError(f"--{empty[0].replace('_', '-')} is empty")

    async def work(transactions: Transactions) -> int:
        if dry_run:
            return await operating.count_people(transactions, audience)
        return await operating.tell_people(transactions, audience, kind, facts)

    count = _done(data, work)
    print(f"{count:,} people would be told" if dry_run else f"{count:,} letters are on their way")
    return 0


def _decided(
    data: Path, named: str, work: Callable[[Transactions, Account], Awaitable[None]], expected: str
) -> Account:
    async def find_and_work(transactions: Transactions) -> Account:
        account = await operating.find_account(transactions, named)
        await work(transactions, account)
        return account

    try:
        return _done(data, find_and_work)
    except NotFound:
        raise SettingError(f"no account {named} {expected}") from None


def _done(data: Path, work: Callable[[Transactions], Awaitable[T]]) -> T:
    return with_database(data, "auth", lambda database: work(Units[Store](database, PostgresStore)))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset: write it as 2026-03-01T14:00:00+01:00")
    return instant
