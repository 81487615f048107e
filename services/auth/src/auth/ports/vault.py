"""Keys and ciphertexts, and where platforms are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from kit.secret import Secret
from platforms.access import Access
from platforms.shape import Authorisation, Grant, PlatformName, Profile

from auth.domain.vault import Ciphertext, WrappedKey


class KeyProvider(Protocol):
    """Holds the key-encryption key, which never leaves it: a file, a transit engine, a cloud's key service."""

    @property
    def key_id(self) -> str: ...

    async def wrap(self, key: bytes, *, context: bytes) -> bytes: ...

    async def unwrap(self, wrapped: bytes, *, key_id: str, context: bytes) -> bytes: ...


class Vault(Protocol):
    """Seals and opens, with contexts that bind a ciphertext to what it belongs to."""

    async def new_key(self, *, context: bytes) -> WrappedKey: ...

    async def seal(self, plain: bytes, key: WrappedKey, *, key_context: bytes, context: bytes) -> Ciphertext: ...

    async def open(self, text: Ciphertext, key: WrappedKey, *, key_context: bytes, context: bytes) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` if anything of it does not belong together."""


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
