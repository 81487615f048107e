"""AES-256-GCM envelopes (NIST SP 800-38D)."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from kit.background import together
from kit.ids import new_id

from auth.domain.key_providers import UNWRAPS_AT_ONCE
from auth.domain.vault import (
    KEY_LOST,
    UNREADABLE,
    Ciphertext,
    DataKey,
    NotOpened,
    SealedGrant,
    VaultUnavailable,
    WrappedKey,
    grant_context,
    key_context,
)
from auth.ports.vault import KeyProvider, Keys

log = structlog.get_logger("vault")

KEY_BYTES = 32
NONCE_BYTES = 12
"""Random: with 96 bits and the few seals of one data key a repetition is out of the question."""

Item = TypeVar("Item")


class Opened:
    """Implements `auth.ports.vault.OpenedGrant`. Neither of what it holds is in its printed form."""

    __slots__ = ("_key", "_sealed", "plain")

    def __init__(self, plain: bytes, key: bytes, sealed: SealedGrant) -> None:
        self.plain = plain
        self._key = key
        self._sealed = sealed

    def seal_next(self, plain: bytes) -> Ciphertext:
        return encrypt(self._key, plain, grant_context(self._sealed.connection_id, self._sealed.generation + 1))


class EnvelopeVault:
    """Implements `auth.ports.vault.Vault`."""

    def __init__(self, provider: KeyProvider, keys: Keys) -> None:
        self._provider = provider
        self._keys = keys

    async def seal(self, plain: bytes, *, key_context: bytes, context: bytes) -> tuple[WrappedKey, Ciphertext]:
        data_key = os.urandom(KEY_BYTES)
        with _told():
            return await self._provider.wrap(data_key, context=key_context), encrypt(data_key, plain, context)

    async def open(self, text: Ciphertext, key: WrappedKey, *, key_context: bytes, context: bytes) -> bytes:
        with _told():
            return decrypt(await self._provider.unwrap(key, context=key_context), text, context)

    async def seal_grant(
        self, plain: bytes, *, connection_id: UUID, workspace_id: UUID, generation: int
    ) -> SealedGrant:
        key, text = await self.seal(
            plain, key_context=key_context(connection_id), context=grant_context(connection_id, generation)
        )
        data_key_id = new_id()
        await self._keys.add(DataKey(data_key_id, connection_id, workspace_id, key.wrapped_key, key.key_id))
        return SealedGrant(connection_id, generation, data_key_id, text.nonce, text.ciphertext)

    async def open_grant(self, sealed: SealedGrant) -> Opened:
        keys = await self._keys.find([sealed.data_key_id])
        with _told():
            return await self._open(sealed, keys)

    async def open_grants(self, sealed: Sequence[SealedGrant]) -> Mapping[UUID, Opened | NotOpened]:
        if not sealed:
            return {}
        keys = await self._keys.find([each.data_key_id for each in sealed])
        opened: dict[UUID, Opened | NotOpened] = {}

        async def open_one(each: SealedGrant) -> None:
            try:
                opened[each.connection_id] = await self._open(each, keys)
            except NotOpened as error:
                opened[each.connection_id] = error

        with _told():
            await for_each(sealed, open_one)
        return opened

    async def destroy(self, data_key_id: UUID) -> None:
        await self._keys.destroy([data_key_id])

    async def destroy_of(self, connection_id: UUID) -> None:
        await self._keys.destroy_of(connection_id)

    async def _open(self, sealed: SealedGrant, keys: Mapping[UUID, WrappedKey]) -> Opened:
        key = keys.get(sealed.data_key_id)
        if key is None:
            raise NotOpened(KEY_LOST)
        data_key = await self._provider.unwrap(key, context=key_context(sealed.connection_id))
        plain = decrypt(data_key, sealed.text, grant_context(sealed.connection_id, sealed.generation))
        return Opened(plain, data_key, sealed)


@contextmanager
def _told() -> Iterator[None]:
    """Operators are told why nothing opens; whoever asked learns only that it is so."""
    try:
        yield
    except VaultUnavailable as error:
        log.error("vault_unavailable", kind=type(error).__name__, reason=error.reason)
        raise


async def for_each(items: Sequence[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Some at a time. The first failure ends all: a key service that is away is not asked a hundred times."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await together(*(worker() for _ in range(min(UNWRAPS_AT_ONCE, len(items)))))


def encrypt(key: bytes, plain: bytes, context: bytes) -> Ciphertext:
    nonce = os.urandom(NONCE_BYTES)
    return Ciphertext(nonce, AESGCM(key).encrypt(nonce, plain, context))


def decrypt(key: bytes, text: Ciphertext, context: bytes) -> bytes:
    """Raises `NotOpened` if anything of it does not belong together."""
    try:
        return AESGCM(key).decrypt(text.nonce, text.ciphertext, context)
    except InvalidTag:
        raise NotOpened(UNREADABLE) from None
