"""Grants into the vault and out of it, for the moment of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from platforms import grants
from platforms.shape import Grant

from auth.domain.connections import Connection
from auth.domain.vault import Ciphertext, NotOpened, SealedGrant
from auth.ports.vault import OpenedGrant, Vault

log = structlog.get_logger("sealing")


class Open:
    """A grant that was opened, and the only way to seal its successor."""

    def __init__(self, opened: OpenedGrant) -> None:
        self.grant = grants.load(opened.plain)
        self._opened = opened

    def seal_next(self, grant: Grant) -> Ciphertext:
        """The renewed grant as the next generation, without a word to any key service."""
        return self._opened.seal_next(grants.dump(grant, with_refresh=True))


async def seal_new(vault: Vault, connection: Connection, generation: int, grant: Grant) -> SealedGrant:
    """The grant sealed under a data key made for it, which is stored when this returns."""
    return await vault.seal_grant(
        grants.dump(grant, with_refresh=True),
        connection_id=connection.connection_id,
        workspace_id=connection.workspace_id,
        generation=generation,
    )


async def open_grant(vault: Vault, sealed: SealedGrant) -> Open:
    """Raises `NotOpened` for a grant that will never open, `VaultUnavailable` for now."""
    return Open(await vault.open_grant(sealed))


async def open_grants(vault: Vault, sealed: Sequence[SealedGrant]) -> Mapping[UUID, Grant | NotOpened]:
    """Each by its connection, for one call each. Raises `VaultUnavailable`."""
    opened = await vault.open_grants(sealed)
    return {
        connection_id: each if isinstance(each, NotOpened) else grants.load(each.plain)
        for connection_id, each in opened.items()
    }


async def destroy_quietly(vault: Vault, data_key_id: UUID) -> None:
    """Destroy a key that no grant needs (any more). If that fails now, the sweep does it."""
    try:
        await vault.destroy(data_key_id)
    except Exception as error:
        log.warning("key_left_to_the_sweep", reason=type(error).__name__)
