"""Tell a platform that a grant is over: once, for a bounded time, and whatever it answers we go on."""

from __future__ import annotations

import asyncio

import structlog
from platforms.shape import Grant, PlatformName

from auth.domain.connections import REVOKE_SECONDS
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
