"""Calls between services: what a neighbour refuses reaches the person as it was told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from kit.calls import CallRefused, InProcess, Neighbour, RefusedByNeighbour, create_client
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
