"""What is stored of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kit.secret import Secret

from auth.domain.accounts import Account, AccountState, Credential
from auth.domain.audiences import Audience


class Accounts(Protocol):
    """People and their passwords."""

    async def add(self, account: Account, *, age_attested_at: datetime) -> None:
        """A sign-up. Its address may be another account's: it counts once it is verified."""

    async def set_state(self, account_id: UUID, state: AccountState, *, before: AccountState) -> bool:
        """False if it is not in the state `before`. Raises `AddressTaken`."""

    async def state_of(self, account_id: UUID) -> str | None: ...

    async def in_state(self, state: AccountState, *, limit: int) -> Sequence[Account]:
        """Oldest first."""

    async def count(self, audience: Audience) -> int: ...

    async def set_email(self, account_id: UUID, email: str) -> None:
        """Raises `AddressTaken`."""

    async def find(self, account_id: UUID) -> Account | None: ...

    async def correct(self, account: Account) -> None:
        """Write everything of it that a person may change."""

    async def id_of(self, email: str) -> UUID | None: ...

    async def credential_of(self, email: str) -> Credential | None: ...

    async def password_hash(self, account_id: UUID) -> str | None: ...

    async def set_password_hash(self, account_id: UUID, password_hash: str, *, at: datetime) -> None: ...

    async def forget_password(self, account_id: UUID) -> None: ...


class PasswordHashes(Protocol):
    """Argon2id, beside the event loop."""

    async def make(self, password: Secret) -> str: ...

    async def matches(self, password_hash: str | None, password: Secret) -> bool:
        """Without a hash, False after the same work."""

    def is_outdated(self, password_hash: str) -> bool: ...
