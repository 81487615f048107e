"""Grants into the vault and out of it, for the moment of a call."""

from __future__ import annotations

from uuid import UUID

from platforms import grants
from platforms.shape import Grant

from auth.domain.vault import Ciphertext, SealedGrant, WrappedKey, grant_context, key_context
from auth.ports.vault import Vault


async def seal_new(vault: Vault, connection_id: UUID, generation: int, grant: Grant) -> SealedGrant:
    """The grant sealed under a data key made for it."""
    key = await vault.new_key(context=key_context(connection_id))
    return SealedGrant.of(connection_id, generation, key, await seal_next(vault, connection_id, generation, key, grant))


async def seal_next(vault: Vault, connection_id: UUID, generation: int, key: WrappedKey, grant: Grant) -> Ciphertext:
    """The grant sealed under the connection's key."""
    return await vault.seal(
        grants.dump(grant, with_refresh=True),
        key,
        key_context=key_context(connection_id),
        context=grant_context(connection_id, generation),
    )


async def open_grant(vault: Vault, sealed: SealedGrant) -> Grant:
    plain = await vault.open(
        sealed.text,
        sealed.key,
        key_context=key_context(sealed.connection_id),
        context=grant_context(sealed.connection_id, sealed.generation),
    )
    return grants.load(plain)
