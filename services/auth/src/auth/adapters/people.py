"""Accounts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from kit.database import Transaction
from psycopg.errors import UniqueViolation

from auth.adapters.audiences import IN_AUDIENCE, parameters_of
from auth.domain.accounts import SIGN_UP_LIFETIME, Account, AccountState, AddressTaken, Credential
from auth.domain.audiences import Audience


class StoredAccounts:
    """Implements `auth.ports.people.Accounts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, account: Account, *, age_attested_at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO account (account_id, email, full_name, company, time_zone, language, age_attested_at,"
            " created_at, state) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                account.account_id, account.email, account.full_name, account.company, account.time_zone,
                account.language, age_attested_at, account.created_at, AccountState.UNVERIFIED,
            ),
        )  # fmt: skip

    async def set_state(self, account_id: UUID, state: AccountState, *, before: AccountState) -> bool:
        with _addresses_once():
            return bool(
                await self._transaction.execute(
                    "UPDATE account SET state = %s WHERE account_id = %s AND state = %s AND deleted_at IS NULL",
                    (state, account_id, before),
                )
            )

    async def state_of(self, account_id: UUID) -> str | None:
        state: str | None = await self._transaction.scalar(
            "SELECT state FROM account WHERE account_id = %s AND deleted_at IS NULL", (account_id,)
        )
        return state

    async def in_state(self, state: AccountState, *, limit: int) -> list[Account]:
        return await self._transaction.all(
            Account,
            "SELECT account_id, email, full_name, company, time_zone, language, created_at FROM account"
            " WHERE state = %s AND deleted_at IS NULL ORDER BY created_at, account_id LIMIT %s",
            (state, limit),
        )

    async def count(self, audience: Audience) -> int:
        count: int = await self._transaction.scalar(
            "SELECT count(*) FROM account a WHERE " + IN_AUDIENCE,  # noqa: S608  # a constant
            parameters_of(audience),
        )
        return count

    async def set_email(self, account_id: UUID, email: str) -> None:
        with _addresses_once():
            await self._transaction.execute("UPDATE account SET email = %s WHERE account_id = %s", (email, account_id))

    async def find(self, account_id: UUID) -> Account | None:
        return await self._transaction.first(
            Account,
            "SELECT account_id, email, full_name, company, time_zone, language, created_at FROM account"
            " WHERE account_id = %s AND deleted_at IS NULL",
            (account_id,),
        )

    async def correct(self, account: Account) -> None:
        await self._transaction.execute(
            "UPDATE account SET full_name = %s, company = %s, time_zone = %s, language = %s"
            " WHERE account_id = %s AND deleted_at IS NULL",
            (account.full_name, account.company, account.time_zone, account.language, account.account_id),
        )

    async def id_of(self, email: str) -> UUID | None:
        found: UUID | None = await self._transaction.scalar("SELECT account_of(%s)", (email,))
        return found

    async def credential_of(self, email: str) -> Credential | None:
        return await self._transaction.first(
            Credential, "SELECT account_id, password_hash, state FROM credential_of(%s)", (email,)
        )

    async def password_hash(self, account_id: UUID) -> str | None:
        found: str | None = await self._transaction.scalar(
            "SELECT password_hash FROM credential WHERE account_id = %s", (account_id,)
        )
        return found

    async def set_password_hash(self, account_id: UUID, password_hash: str, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO credential (account_id, password_hash, changed_at) VALUES (%s, %s, %s)"
            " ON CONFLICT (account_id) DO UPDATE"
            " SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
            (account_id, password_hash, at),
        )

    async def forget_password(self, account_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM credential WHERE account_id = %s", (account_id,))


@contextmanager
def _addresses_once() -> Iterator[None]:
    """The index says it, because two requests at the same time each see the address free."""
    try:
        yield
    except UniqueViolation as error:
        raise AddressTaken() from error


async def forget_sign_ups(transaction: Transaction, now: datetime) -> None:
    """Delete accounts whose address nobody verified. No other service ever heard of them."""
    over = now - SIGN_UP_LIFETIME
    stale = "SELECT account_id FROM account WHERE state = 'unverified' AND created_at <= %s"
    for table in ("letter", "proof", "credential", "account"):
        await transaction.execute(f"DELETE FROM {table} WHERE account_id IN ({stale})", (over,))  # noqa: S608
