"""Bring every data key under the key-encryption key that counts now, while auth goes on. No ciphertext is touched.

An interrupted rotation is begun again: what is done is known by the name of the key that wraps it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.domain.vault import KEYS_BACKED_UP, DataKey, KeyUnusable, NotOpened, WrappedKey, key_context
from auth.ports.vault import ForEach, KeyProvider, Keyring

BATCH = 200
"""Keys of one transaction: interrupted, so much work is done again at the most."""

_PROBE = b"probe"


class Progress(Protocol):
    def __call__(self, done: int, total: int) -> None: ...


@dataclass
class Standing:
    """How many keys are wrapped by which key-encryption key. `current` is the one that wraps now.

    `free_from`: from when on nothing needs the others any more, the backups of the keys included.
    """

    current: str
    by_key: dict[str, int]
    free_from: datetime | None
    failed: list[UUID] = field(default_factory=list)

    @property
    def left(self) -> int:
        return sum(count for key_id, count in self.by_key.items() if key_id != self.current)


async def look(keyring: Keyring, provider: KeyProvider) -> Standing:
    """How it stands. Raises `VaultUnavailable` if the key that is to wrap cannot be used."""
    current = await check(provider)
    rewrapped_at = await keyring.last_rewrapped_at()
    return Standing(current, dict(await keyring.count_by_key()), rewrapped_at and rewrapped_at + KEYS_BACKED_UP)


async def check(provider: KeyProvider) -> str:
    """The id of the key that wraps now, if it also unwraps."""
    probe = os.urandom(32)
    wrapped = await provider.wrap(probe, context=_PROBE)
    if await provider.unwrap(wrapped, context=_PROBE) != probe:
        raise KeyUnusable(f"{wrapped.key_id} does not give back what it wrapped")
    return wrapped.key_id


async def rotate(keyring: Keyring, provider: KeyProvider, *, for_each: ForEach, tell: Progress) -> Standing:
    """Re-wrap what another key wraps. Keys that cannot be unwrapped are left as they are, and named."""
    before = await look(keyring, provider)
    failed: list[UUID] = []
    done, after = 0, None
    tell(done, before.left)
    while batch := await keyring.not_wrapped_by(before.current, after=after, limit=BATCH):
        rewrapped: dict[UUID, tuple[WrappedKey, WrappedKey]] = {}

        async def one(key: DataKey, into: dict[UUID, tuple[WrappedKey, WrappedKey]] = rewrapped) -> None:
            try:
                new = await provider.rewrap(key.wrapped, context=key_context(key.connection_id))
            except (NotOpened, KeyUnusable):
                failed.append(key.data_key_id)
            else:
                into[key.data_key_id] = key.wrapped, new

        await for_each(batch, one)
        await keyring.replace(rewrapped)
        done, after = done + len(batch), batch[-1].data_key_id
        tell(done, max(before.left, done))
    standing = await look(keyring, provider)
    standing.failed = failed
    return standing
