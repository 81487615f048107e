"""Objects are there whole or not at all, are read in pieces, and are gone when they are deleted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kit.objects import PIECE_BYTES, ObjectMissing, Objects, TooLarge
from kit.problems import Unavailable

MEBIBYTE = 1024 * 1024


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(f"file://{tmp_path}/objects")


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(objects: Objects, key: str, start: int, end: int) -> list[bytes]:
    return [piece async for piece in objects.read(key, start, end)]


@pytest.mark.parametrize("size", [0, 1, 100_000, 9 * MEBIBYTE + 7])
async def test_what_is_written_is_read(objects: Objects, size: int):
    content = os.urandom(size)
    stored = await objects.write("w/m/video.mp4", pieces(content), limit_bytes=10 * MEBIBYTE)
    assert (stored.key, stored.size_bytes) == ("w/m/video.mp4", size)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    found = await read(objects, "w/m/video.mp4", 0, size)
    assert b"".join(found) == content
    assert all(len(piece) <= PIECE_BYTES for piece in found)


async def test_a_part_is_read_from_its_first_to_before_its_last_byte(objects: Objects):
    content = bytes(range(256)) * 8192
    await objects.write("k", pieces(content), limit_bytes=len(content))
    assert b"".join(await read(objects, "k", 5, 1_500_000)) == content[5:1_500_000]
    assert await read(objects, "k", 7, 7) == []


async def test_one_byte_too_many_leaves_nothing(objects: Objects):
    content = os.urandom(9 * MEBIBYTE)
    await objects.write("exact", pieces(content), limit_bytes=len(content))
    with pytest.raises(TooLarge):
        await objects.write("more", pieces(content), limit_bytes=len(content) - 1)
    assert await objects.keys("") == ["exact"]


async def test_a_stream_that_breaks_leaves_nothing(objects: Objects):
    async def breaking() -> AsyncIterator[bytes]:
        yield os.urandom(9 * MEBIBYTE)
        raise ConnectionError("the sender left")

    with pytest.raises(ConnectionError):
        await objects.write("half", breaking(), limit_bytes=100 * MEBIBYTE)
    assert await objects.keys("") == []
    with pytest.raises(ObjectMissing):
        await read(objects, "half", 0, 1)


async def test_deleting_removes_what_is_named_and_nothing_else(objects: Objects):
    for key in ("a/1", "a/2/deep", "ab/3"):
        await objects.write(key, pieces(b"x"), limit_bytes=1)
    await objects.delete("a/1")
    await objects.delete("a/1")
    assert await objects.keys("a") == ["a/2/deep"]
    with pytest.raises(ObjectMissing):
        await read(objects, "a/1", 0, 1)
    assert await objects.delete_all("a") == 1
    assert await objects.delete_all("a") == 0
    assert await objects.keys("ab") == ["ab/3"]


async def test_a_store_that_does_not_answer_is_told_as_such(objects: Objects, tmp_path: Path):
    (tmp_path / "objects").rmdir()
    (tmp_path / "objects").write_text("no folder any more")
    with pytest.raises(Unavailable):
        await objects.write("k", pieces(bytes(MEBIBYTE)), limit_bytes=MEBIBYTE)
    with pytest.raises(Unavailable):
        await read(objects, "k", 0, 1)
    with pytest.raises(Unavailable):
        await objects.delete("k")
    with pytest.raises(Unavailable):
        await objects.delete_all("w")


def test_the_folder_is_its_owners_alone(tmp_path: Path):
    Objects(f"file://{tmp_path}/private")
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
