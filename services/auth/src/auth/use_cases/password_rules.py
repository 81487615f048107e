"""Judge a new password: the one place for sign-up, reset and change."""

from __future__ import annotations

import asyncio

from kit.secret import Secret

from auth.domain.passwords import AboutPerson, weakness


async def errors_of(password: Secret, about: AboutPerson, *, pointer: str = "/password") -> list[dict[str, str]]:
    """What is wrong with a new password, as `Invalid` takes it; empty if it is good."""
    found = await asyncio.to_thread(weakness, password, about)
    return [{"pointer": pointer, "detail": found}] if found else []
