"""Asking a platform while a person waits: within bounds, and with errors in words for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from platforms.errors import PlatformError

from auth.domain.authorising import CONNECT_SECONDS, PlatformUnavailable, problem_of

log = structlog.get_logger("asking")


@asynccontextmanager
async def at_platform() -> AsyncIterator[None]:
    """A platform's call within bounds, its errors turned into what the person is told."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            yield
    except PlatformError as error:
        problem = problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # The person hears that it failed; who runs this needs to know why.
            log.warning("platform_failed", kind=type(error).__name__, code=error.code, detail=error.detail)
        raise problem from error
    except TimeoutError as error:
        log.warning("platform_failed", kind="TimeoutError", detail=f"no answer within {CONNECT_SECONDS} s")
        raise PlatformUnavailable() from error
