"""Who vouches for people, and what is stored of those they vouched for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from auth.domain.openid import ConfiguredProvider, Identity, Journey, Owner, Started, Vouched, Waiting


class Providers(Protocol):
    """The configured OpenID providers."""

    @property
    def all(self) -> Sequence[ConfiguredProvider]:
        """In the order in which the operator named them."""

    def find(self, name: str) -> ConfiguredProvider:
        """Raises `ProviderUnknown`."""

    async def authorisation_url(self, provider: ConfiguredProvider, journey: Journey, *, afresh: bool) -> str:
        """Where to send the person; `afresh`: they are to prove there again who they are, however lately they did.

        Raises `ProviderUnavailable`.
        """

    async def redeem(
        self, provider: ConfiguredProvider, journey: Journey, *, code: str, issuer: str | None, afresh: bool
    ) -> Vouched:
        """Whom the code stands for. `issuer`: who the callback says it comes from, if it does (RFC 9207).

        Raises `SignInFailed`, `ProviderUnavailable`.
        """


class Identities(Protocol):
    """People on their way to a provider and back, and the identities they came back with."""

    async def start(self, journey: Journey, started: Started) -> None: ...

    async def take(self, journey: Journey) -> Started | None:
        """What was started with this state in this browser, once only."""

    async def await_details(self, browser_hash: bytes, waiting: Waiting) -> None: ...

    async def waiting(self, browser_hash: bytes) -> Waiting | None:
        """The newest of a browser."""

    async def take_waiting(self, account_id: UUID) -> bool:
        """False if it was taken already. In the scope of the account that it will be."""

    async def owner_of(self, issuer: str, subject: str) -> Owner | None:
        """The account that an identity belongs to."""

    async def add(self, identity: Identity) -> bool:
        """False if the identity belongs to an account already."""

    async def of_account(self, account_id: UUID) -> Sequence[Identity]:
        """All of them, oldest first; held so until the transaction ends."""

    async def remove(self, identity_id: UUID) -> None: ...
