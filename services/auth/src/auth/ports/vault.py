"""Keys and ciphertexts, and where platforms are called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from kit.secret import Secret
from platforms.access import Access
from platforms.shape import Authorisation, Grant, PlatformName, Profile

from auth.domain.vault import Ciphertext, DataKey, NotOpened, SealedGrant, WrappedKey


class KeyProvider(Protocol):
    """Holds the key-encryption key: a file, a transit engine, a cloud's key service.

    Every call raises `VaultUnavailable`, or `NotOpened` for what can never be unwrapped.
    """

    async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey: ...

    async def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes: ...

    async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
        """The same data key under the key-encryption key that counts now."""

    def wrapped(self, key_id: str) -> bool:
        """Whether a key-encryption key is one of this provider's."""

    async def aclose(self) -> None: ...


class Keys(Protocol):
    """The data keys of connections, in a store of their own. What a call changed is committed when it returns."""

    async def add(self, key: DataKey) -> None: ...

    async def find(self, data_key_ids: Sequence[UUID]) -> Mapping[UUID, WrappedKey]: ...

    async def destroy(self, data_key_ids: Sequence[UUID]) -> None: ...

    async def destroy_of(self, connection_id: UUID) -> None:
        """Every key of a connection, also those that no grant names."""

    async def older_than(self, before: datetime, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Keys made before a time, in the order of their ids."""

    async def count(self) -> int: ...


class Keyring(Protocol):
    """The same store as operators see it: what every key is wrapped in, and nothing that needs a grant."""

    async def count_by_key(self) -> Mapping[str, int]:
        """Data keys by the id of the key-encryption key that wraps them."""

    async def last_rewrapped_at(self) -> datetime | None: ...

    async def not_wrapped_by(self, key_id: str, *, after: UUID | None, limit: int) -> Sequence[DataKey]:
        """In the order of their ids."""

    async def replace(self, rewrapped: Mapping[UUID, tuple[WrappedKey, WrappedKey]]) -> None:
        """Each old form by its new one; a key that was destroyed meanwhile stays destroyed."""


class ForEach(Protocol):
    """Work on some at a time; the first failure ends all."""

    async def __call__(self, items: Sequence[DataKey], work: Callable[[DataKey], Awaitable[None]], /) -> None: ...


class OpenedGrant(Protocol):
    """A grant for the moment of a call, and the key it was opened with for the one renewal that may follow.

    A platform that renews a grant ends the old one: what seals its successor must be at hand before it is asked, for
    if a key service failed after it, the connection would be lost. The key shows no more than the grant beside it.
    """

    @property
    def plain(self) -> bytes: ...

    def seal_next(self, plain: bytes) -> Ciphertext:
        """The next generation under the same key."""


class Vault(Protocol):
    """Seals and opens, with contexts that bind a ciphertext to what it belongs to. Raises as `KeyProvider`."""

    async def seal(self, plain: bytes, *, key_context: bytes, context: bytes) -> tuple[WrappedKey, Ciphertext]:
        """Sealed with a key for this alone, which the caller stores beside it: for what lives minutes."""

    async def open(self, text: Ciphertext, key: WrappedKey, *, key_context: bytes, context: bytes) -> bytes: ...

    async def seal_grant(
        self, plain: bytes, *, connection_id: UUID, workspace_id: UUID, generation: int
    ) -> SealedGrant:
        """Sealed with a new key, which is in the store of keys when this returns."""

    async def open_grant(self, sealed: SealedGrant) -> OpenedGrant: ...

    async def open_grants(self, sealed: Sequence[SealedGrant]) -> Mapping[UUID, OpenedGrant | NotOpened]:
        """Each by its connection; one that does not open hinders no other."""

    async def destroy(self, data_key_id: UUID) -> None: ...

    async def destroy_of(self, connection_id: UUID) -> None:
        """Every key of a connection: from here on nothing opens its grant, wherever there is a copy of it."""


class Platforms(Protocol):
    """The platforms of this installation. Every call raises `platforms.errors.PlatformError`."""

    def offers(self, name: PlatformName) -> bool: ...

    def needed_scopes(self, name: PlatformName) -> frozenset[str]: ...

    def access(self, name: PlatformName) -> Access:
        """Known of every platform, offered or not."""

    def ends_on(self, name: PlatformName) -> date | None:
        """The day from which the platform does not answer as it is asked by this version; None if none is announced."""

    async def authorise(self, name: PlatformName, *, state: str, handle: str | None) -> Authorisation: ...

    async def exchange(
        self, name: PlatformName, *, callback: Mapping[str, str], kept: Mapping[str, Secret]
    ) -> Grant: ...

    async def accounts(self, name: PlatformName, grant: Grant) -> Sequence[Profile]:
        """Every account that the grant opens."""

    async def act_for(self, name: PlatformName, grant: Grant, account_id: str) -> Grant:
        """The grant narrowed to one of its accounts."""

    async def refresh(self, name: PlatformName, grant: Grant) -> Grant: ...

    async def revoke(self, name: PlatformName, grant: Grant) -> None:
        """Returns only if the platform confirmed."""


class SealFor(Protocol):
    """Encrypts for one other service alone."""

    def __call__(self, service: str, message: bytes, *, context: bytes) -> bytes: ...
