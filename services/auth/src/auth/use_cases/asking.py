"""Asking a platform while a person waits: within bounds, and with errors in words for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from platforms.errors import PlatformError

from auth.domain.authorising import CONNECT_SECONDS, PlatformUnavailable, problem_of


@asynccontextmanager
async def at_platform() -> AsyncIterator[None]:
    """A platform's call within bounds, its errors turned into what the person is told."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            yield
    except PlatformError as error:
        raise problem_of(error) from error
    except TimeoutError as error:
        raise PlatformUnavailable() from error
