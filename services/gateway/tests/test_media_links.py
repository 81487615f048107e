"""Media by link: they stream through the edge to whoever has the link, a few pieces at a time."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from kit.testing import wait_for

from .conftest import FILE_PIECES, PIECE, Neighbours

LINK = "/media/eyJh.eyJi.abc"
PIECES_IN_FLIGHT_MAX = 8
"""Two transports with two waiting and one being put each, and what the handlers between them hold."""


async def test_a_large_file_passes_in_pieces_and_is_never_held(client: httpx.AsyncClient, neighbours: Neighbours):
    read, ahead = 0, 0
    async with client.stream("GET", LINK) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert answer.headers["content-length"] == str(FILE_PIECES * len(PIECE))
        assert answer.headers["cache-control"] == "no-store"
        async for piece in answer.aiter_raw():
            # Whoever makes pieces may do so as long as it likes while the reader is slow.
            for _ in range(50):
                await asyncio.sleep(0)
            ahead = max(ahead, neighbours.file.made * len(PIECE) - read)
            read += len(piece)
    assert read == FILE_PIECES * len(PIECE)
    assert 0 < ahead <= PIECES_IN_FLIGHT_MAX * len(PIECE)


def at_work() -> list[str]:
    """Requests that run in process."""
    return [name for task in asyncio.all_tasks() if (name := task.get_name()) == "in-process-request"]


@pytest.mark.parametrize("pieces_read", [0, 1])
async def test_who_goes_away_ends_the_work_for_it(client: httpx.AsyncClient, neighbours: Neighbours, pieces_read: int):
    async with client.stream("GET", LINK) as answer:
        for _ in range(pieces_read):
            await anext(answer.aiter_raw())
        assert len(at_work()) == 2
    await wait_for(lambda: not at_work(), what="gateway and content to stop")
    assert neighbours.file.made <= PIECES_IN_FLIGHT_MAX + 1


async def test_a_file_that_breaks_off_is_not_taken_for_whole(client: httpx.AsyncClient, neighbours: Neighbours):
    neighbours.file.fails_after = 3
    with pytest.raises(httpx.ReadError):
        await client.get(LINK)
    assert neighbours.file.made == 3


async def test_a_link_needs_no_session_and_no_cookie_goes_with_it(client: httpx.AsyncClient, neighbours: Neighbours):
    headers = {"Range": "bytes=0-1", "Cookie": "signoff_session=x", "Authorization": "Bearer x"}
    async with client.stream("GET", LINK, headers=headers):
        pass
    assert neighbours.requests == [(LINK, "bytes=0-1")]
    assert not {"cookie", "authorization"} & neighbours.headers[0].keys()


async def test_a_files_headers_can_be_asked_for_alone(client: httpx.AsyncClient):
    answer = await client.head(LINK)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["content-length"], answer.headers["content-type"]) == ("7", "video/mp4")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_is_no_link_is_not_found(client: httpx.AsyncClient, neighbours: Neighbours, method: str):
    unknown = await client.request(method, "/media/un.kno.wn")
    wrong = await client.request(method, "/media/a.b")
    if method == "GET":
        assert unknown.status_code == wrong.status_code == 404
        assert unknown.json()["type"] == wrong.json()["type"] == "urn:signoff:problem:not-found"
        assert len(neighbours.requests) == 1
    else:
        assert (wrong.status_code, wrong.content) == (404, b"")
