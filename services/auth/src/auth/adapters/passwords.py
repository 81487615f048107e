"""Passwords as Argon2id hashes, made in threads so that the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from kit.secret import Secret

from auth.domain.openid import SignInElsewhere
from auth.domain.passwords import normalised

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""The first choice of OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane."""

AT_ONCE_MAX = 4
"""Hashes computed side by side: bounds their memory at 76 MiB and leaves processors to the requests."""


class Argon2Hashes:
    """Implements `auth.ports.people.PasswordHashes`."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        # Checked where there is no account, so that the time of an answer does not tell which addresses exist.
        self._nobodys = self._hasher.hash("nobody's password")

    async def make(self, password: Secret) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, normalised(password).reveal())

    async def matches(self, password_hash: str | None, password: Secret) -> bool:
        async with self._slots:
            equal = await asyncio.to_thread(self._verify, password_hash or self._nobodys, password)
        return equal and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(password_hash, normalised(password).reveal())
        except (VerificationError, InvalidHashError):
            return False


class NoPasswords:
    """Implements `auth.ports.people.PasswordHashes` where sign-in is left to OpenID providers: there are none."""

    async def make(self, password: Secret) -> str:
        raise SignInElsewhere()

    async def matches(self, password_hash: str | None, password: Secret) -> bool:
        raise SignInElsewhere()

    def is_outdated(self, password_hash: str) -> bool:
        raise SignInElsewhere()
