"""What is stored of second factors, and who speaks with authenticators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from auth.domain.second_factors import Ceremony, Enrolled, NewPasskey, OwnPasskey, Passkey, Totp
from auth.domain.vault import SealedGrant


class Ceremonies(Protocol):
    """Challenges that wait for their answer. Any scope may; only who knows the token finds one."""

    async def add(self, ceremony: Ceremony) -> None: ...

    async def find(self, token_hash: bytes) -> Ceremony | None: ...

    async def end(self, token_hash: bytes) -> bool:
        """False if it is over already: an answer counts once."""


class SecondFactors(Protocol):
    """The authenticator app and the recovery codes of each account."""

    async def enrolled(self, account_id: UUID) -> Enrolled: ...

    async def app(self, account_id: UUID) -> Totp | None:
        """Confirmed or not; until it is, it has no step."""

    async def put_app(self, account_id: UUID, sealed: SealedGrant, *, at: datetime) -> bool:
        """Unconfirmed, in place of another one that is; false if there is a confirmed one."""

    async def confirm_app(self, account_id: UUID, data_key_id: UUID, *, step: int, at: datetime) -> bool:
        """False if it is not the one, or confirmed already."""

    async def use_step(self, account_id: UUID, step: int) -> bool:
        """False if a code of this step or a later one was used before."""

    async def remove_app(self, account_id: UUID) -> Totp | None: ...

    async def put_recovery_codes(self, account_id: UUID, hashes: Sequence[bytes], *, at: datetime) -> None:
        """In place of all there were."""

    async def has_recovery_code(self, account_id: UUID, code_hash: bytes) -> bool: ...

    async def use_recovery_code(self, account_id: UUID, code_hash: bytes) -> bool:
        """False if there is none such."""


class Passkeys(Protocol):
    """Passkeys of each account."""

    async def add(self, passkey_id: UUID, account_id: UUID, passkey: NewPasskey, *, name: str, at: datetime) -> bool:
        """False if it is known, to whomever it belongs."""

    async def find(self, credential_id: bytes) -> Passkey | None:
        """Any scope may: only its authenticator tells the id."""

    async def credential_ids(self, account_id: UUID) -> Sequence[bytes]: ...

    async def of_account(self, account_id: UUID) -> Sequence[OwnPasskey]: ...

    async def use(self, passkey: Passkey, *, sign_count: int, at: datetime) -> bool:
        """False if it was used or removed meanwhile."""

    async def remove(self, passkey_id: UUID) -> bool: ...


class Authenticators(Protocol):
    """WebAuthn ceremonies for one domain: what a browser is asked, and whether its answer is good.

    Answers are what a client sent; whatever is wrong with one raises `PasskeyRefused`.
    """

    def registration(
        self, challenge: bytes, *, account_id: UUID, email: str, known: Sequence[bytes]
    ) -> dict[str, Any]: ...

    def request(self, challenge: bytes, *, allowed: Sequence[bytes]) -> dict[str, Any]:
        """With nothing allowed by name, the authenticator offers what it has for this domain."""

    def check_registration(self, answer: Mapping[str, Any], challenge: bytes) -> NewPasskey: ...

    def credential_id(self, answer: Mapping[str, Any]) -> bytes: ...

    def check(self, answer: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> int:
        """The count that the authenticator tells, if everything is right."""
