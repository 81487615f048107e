"""Media by link: the token opens one file, whole or in part, for as long as it is good."""

from __future__ import annotations

import os
import tracemalloc
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SigningKey
from kit.links import LIFETIME, LinkedObject, LinkIssuer

DATA = bytes(range(256)) * 10_000
"""More than two pieces of what the object store gives at a time."""


@pytest.fixture
def linked(objects_folder: Path) -> LinkedObject:
    """A stored file."""
    key = f"media/{new_id()}/{new_id()}"
    file = objects_folder / key
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    return LinkedObject(key, "video/mp4", len(DATA))


@pytest.fixture
def path(linked: LinkedObject, keys_folder: Path, clock: MovableClock) -> str:
    return path_of(linked, "publisher", keys_folder, clock)


def path_of(linked: LinkedObject, signer: str, keys_folder: Path, clock: MovableClock) -> str:
    key = SigningKey.load(signer, keys_folder / f"{signer}.signing.pem")
    return f"/media/{LinkIssuer(key, clock).issue(linked).reveal()}"


async def test_a_link_gives_the_file_without_a_passport(client: httpx.AsyncClient, path: str):
    answer = await client.get(path)
    assert (answer.status_code, answer.content) == (200, DATA)
    told = await client.head(path)
    assert (told.status_code, told.content) == (200, b"")
    for headers in (answer.headers, told.headers):
        assert headers["content-type"] == "video/mp4"
        assert headers["content-length"] == str(len(DATA))
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-1048599", 10, 1_048_600),
        ("bytes=2559990-", 2_559_990, 2_560_000),
        ("bytes=-5", 2_559_995, 2_560_000),
        ("bytes=-9999999", 0, 2_560_000),
        ("bytes=5-99999999", 5, 2_560_000),
    ],
)
async def test_a_part_is_given_as_asked(client: httpx.AsyncClient, path: str, asked: str, start: int, end: int):
    answer = await client.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "pieces=0-1", "bytes=x-y", "bytes=1"])
async def test_a_range_that_is_not_understood_is_not_there(client: httpx.AsyncClient, path: str, asked: str):
    answer = await client.get(path, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


@pytest.mark.parametrize("asked", ["bytes=2560000-", "bytes=9999999-99999999", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(client: httpx.AsyncClient, path: str, asked: str):
    answer = await client.get(path, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_opens_nothing_is_not_told_apart(
    client: httpx.AsyncClient,
    linked: LinkedObject,
    path: str,
    objects_folder: Path,
    keys_folder: Path,
    clock: MovableClock,
    method: str,
):
    forged = path_of(linked, "metrics", keys_folder, clock)
    (objects_folder / linked.key).rename(objects_folder / "moved")
    gone = await client.request(method, path)
    (objects_folder / "moved").rename(objects_folder / linked.key)
    assert (await client.request(method, path)).status_code == 200
    clock.advance(LIFETIME + timedelta(seconds=1))
    answers = [gone, *[await client.request(method, wrong) for wrong in (path, forged, "/media/a.b.c")]]
    assert [answer.status_code for answer in answers] == [404] * 4
    bodies = [{**answer.json(), "trace_id": ""} if answer.content else {} for answer in answers]
    assert bodies == [bodies[0]] * 4
    if method == "GET":
        assert bodies[0]["type"] == "urn:signoff:problem:not-found"


async def test_memory_does_not_grow_with_the_file(
    client: httpx.AsyncClient, objects_folder: Path, keys_folder: Path, clock: MovableClock
):
    size = 50 * 1024 * 1024
    large = LinkedObject(f"media/{new_id()}", "video/mp4", size)
    file = objects_folder / large.key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.truncate(file, size)
    read = 0
    tracemalloc.start()
    async with client.stream("GET", path_of(large, "publisher", keys_folder, clock)) as answer:
        async for piece in answer.aiter_raw():
            read += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == size
    assert peak < 10 * 1024 * 1024
