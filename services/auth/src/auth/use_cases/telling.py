"""Tell a platform that a grant is over: once, for a bounded time, and whatever it answers we go on."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from kit.database import Scope
from platforms.access import Reach
from platforms.shape import Grant, PlatformName

from auth.domain.connections import REVOKE_SECONDS, bond_of
from auth.ports.store import Transactions
from auth.ports.vault import Platforms

log = structlog.get_logger("telling")


async def revoke_quietly(platforms: Platforms, name: PlatformName, grant: Grant) -> bool:
    """Whether the platform confirmed."""
    try:
        async with asyncio.timeout(REVOKE_SECONDS):
            await platforms.revoke(name, grant)
    except Exception as error:
        # Not even a defect of ours may keep tokens alive. Its text is left out: it could quote the platform.
        log.warning("revocation_not_confirmed", platform=name, reason=type(error).__name__)
        return False
    return True


async def give_back(
    transactions: Transactions, name: PlatformName, grant: Grant, authorisation_id: UUID, *, platforms: Platforms
) -> None:
    """End a grant that no connection came of, unless that would end connections which live."""
    access = platforms.access(name)
    bond = bond_of(access, authorisation_id, grant)
    if access.reach is Reach.NOTHING or not bond:
        return
    async with transactions(Scope.worker()) as store:
        shared = await store.connections.is_shared(name, bond)
    if not shared:
        await revoke_quietly(platforms, name, grant)
