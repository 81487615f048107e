"""Calls between services: what a neighbour refuses reaches the person as it was told."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from kit.calls import PIECES_AHEAD, CallRefused, InProcess, Neighbour, RefusedByNeighbour, create_client
from kit.problems import EXCEPTION_HANDLERS, Conflict, Forbidden
from litestar import Litestar, get
from opentelemetry import trace


class Closed(Conflict):
    code = "workspace-closed"


@pytest.mark.parametrize(
    ("refusal", "status", "document"),
    [
        (Closed("Since yesterday.", since="yesterday"), 409, {"detail": "Since yesterday.", "since": "yesterday"}),
        (Forbidden("post.write"), 403, {"needs": "post.write"}),
    ],
)
async def test_a_neighbours_problem_passes_on_with_its_own_status(
    refusal: Exception, status: int, document: dict[str, Any]
):
    @get("/thing")
    async def owner() -> None:
        raise refusal

    apps = {"content": Litestar([owner], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)}
    client = create_client("http://content", InProcess(apps, "content"))
    content = Neighbour("content", client, lambda: "passport", trace.get_tracer("test"))

    @get("/thing")
    async def passing() -> None:
        try:
            await content.call("GET", "/thing")
        except CallRefused as told:
            raise RefusedByNeighbour(told) from None

    edge = InProcess({"edge": Litestar([passing], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)}, "edge")
    async with httpx.AsyncClient(transport=edge, base_url="http://edge") as person:
        answer = await person.get("/thing")
        own = await client.get("/thing")
    await content.close()
    assert answer.status_code == own.status_code == status
    assert answer.json() == own.json()
    assert document.items() <= answer.json().items()


def in_process(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=InProcess({"app": app}, "app"), base_url="http://app")


class Fountain:
    """An application that answers with as many pieces as are taken, and says how it ended."""

    def __init__(self, pieces: int, *, fails: bool = False) -> None:
        self.pieces, self.fails = pieces, fails
        self.sent, self.end = 0, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(self.pieces):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                self.sent += 1
            if self.fails:
                raise RuntimeError("dry")
            await send({"type": "http.response.body", "body": b""})
            while (await receive())["type"] != "http.disconnect":
                pass
            self.end = "whole"
        except asyncio.CancelledError:
            self.end = "cancelled"
            raise


async def test_an_answer_in_process_is_made_as_fast_as_it_is_read():
    app = Fountain(1000)
    async with in_process(app) as client, client.stream("GET", "/") as answer:
        read = 0
        async for piece in answer.aiter_raw():
            await asyncio.sleep(0)
            assert app.sent - read <= PIECES_AHEAD + 1
            read += len(piece)
    assert (read, app.end) == (1000, "whole")


async def test_an_answer_that_nobody_reads_any_more_is_ended():
    app = Fountain(1000)
    async with in_process(app) as client, client.stream("GET", "/") as answer:
        await anext(answer.aiter_raw())
    assert app.end == "cancelled"
    assert app.sent <= PIECES_AHEAD + 1


async def test_an_application_that_fails_is_seen_as_a_broken_connection():
    async with in_process(Fountain(3, fails=True)) as client:
        with pytest.raises(httpx.ReadError):
            await client.get("/")

    async def at_once(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("not even begun")

    async with in_process(at_once) as client:
        assert (await client.get("/")).status_code == 500


async def test_a_caller_that_is_cancelled_takes_its_request_along():
    ended = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_process(slow) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get("/")
    assert ended.is_set()
