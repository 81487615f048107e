"""Do several things at the same time and report the first failure, after all of them have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def do_together(work: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Unlike a task group, one failure stops no other, and it is raised as it is: callers know it by its type."""
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
