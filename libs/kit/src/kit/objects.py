"""Object storage for media and backups: a folder, S3, Google Cloud or Azure behind one URL."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from kit.problems import Unavailable

PIECE_BYTES = 1024 * 1024
"""What is held in memory of an object at a time."""


class TooLarge(Exception):
    """The stream went on beyond the limit; nothing was kept."""


class ObjectMissing(Exception):
    """There is no object under this key."""


@dataclass(frozen=True)
class Stored:
    """What was written: size in bytes and lower-case hex SHA-256."""

    key: str
    size_bytes: int
    sha256: str


class Objects:
    """One bucket (or folder) of objects. Raises `kit.problems.Unavailable` while it does not answer."""

    def __init__(self, url: str) -> None:
        if url.startswith("file://"):
            Path(url.removeprefix("file://")).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = from_url(url)

    async def write(self, key: str, pieces: AsyncIterator[bytes], *, limit_bytes: int) -> Stored:
        """Store a stream of pieces; an object is there whole or not at all. Raises `TooLarge`."""
        digest, size = hashlib.sha256(), 0
        writer = obstore.open_writer_async(self._store, key, buffer_size=8 * PIECE_BYTES)
        try:
            async for piece in pieces:
                size += len(piece)
                if size > limit_bytes:
                    raise TooLarge
                digest.update(piece)
                with _answering():
                    await writer.write(piece)
            with _answering():
                await writer.close()
        except BaseException:
            # Closed first, so that no parts of it stay behind where they cannot be listed.
            with suppress(Exception):
                await writer.close()
            with suppress(Unavailable):
                await self.delete(key)
            raise
        return Stored(key, size, digest.hexdigest())

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` (inclusive) to `end` (exclusive) in pieces of at most 1 MiB."""
        while start < end:
            upto = min(start + PIECE_BYTES, end)
            try:
                with _answering():
                    piece = await obstore.get_range_async(self._store, key, start=start, end=upto)
            except FileNotFoundError:
                raise ObjectMissing(key) from None
            yield bytes(piece)
            start = upto

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        try:
            with _answering():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return

    async def keys(self, prefix: str) -> list[str]:
        """Every key under a prefix."""
        found: list[str] = []
        with _answering():
            async for batch in obstore.list(self._store, prefix=prefix):
                found += [item["path"] for item in batch]
        return found

    async def delete_all(self, prefix: str) -> int:
        """Remove every object under a prefix; returns how many there were."""
        keys = await self.keys(prefix)
        for key in keys:
            await self.delete(key)
        return len(keys)


@contextmanager
def _answering() -> Iterator[None]:
    """Tell every way in which a store can be away as one. That an object is missing is an answer."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable("the object store does not answer") from error
