"""Whatever goes wrong is told as problem details, with the place of a wrong value and without inner texts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from kit.calls import CallRefused, InProcess, RefusedByNeighbour
from kit.problems import EXCEPTION_HANDLERS, Conflict, NotFound, Unavailable
from litestar import Litestar, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, FromQuery, JSONBody


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    items: list[Item] = []


class AlreadyApproved(Conflict):
    code = "already-approved"
    title = "The revision is approved"


@post("/bodies")
async def bodies(data: JSONBody[Body]) -> None:
    return None


@get("/fails/{how:str}")
async def fails(how: FromPath[str], limit: FromQuery[int] = 1) -> None:
    raise {
        "conflict": AlreadyApproved("By two people.", revision="7"),
        "missing": NotFound(),
        "away": Unavailable(retry_after_seconds=9),
        "refused": RefusedByNeighbour(CallRefused("auth", 409, "frozen", _REFUSAL)),
        "denied": PermissionDeniedException("Not so."),
        "defect": RuntimeError("Bearer hunter2hunter2"),
    }[how]


_REFUSAL = {"type": "urn:signoff:problem:frozen", "title": "Frozen", "status": 409, "connection": "c1"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar([bodies, fails], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=InProcess({"app": app}, "app"), base_url="http://app") as client:
        yield client


def told(answer: httpx.Response, status: HTTPStatus, code: str) -> dict[str, Any]:
    """The problem of an answer, after checking what every problem has."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert answer.status_code == document["status"] == status
    assert document["type"] == f"urn:signoff:problem:{code}"
    assert document["title"]
    return document


async def test_an_error_of_the_domain_is_told_with_its_facts(client: httpx.AsyncClient):
    document = told(await client.get("/fails/conflict"), HTTPStatus.CONFLICT, "already-approved")
    assert document["title"] == "The revision is approved"
    assert document["detail"] == "By two people."
    assert document["revision"] == "7"


async def test_an_outage_says_when_to_come_back(client: httpx.AsyncClient):
    answer = await client.get("/fails/away")
    told(answer, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert answer.headers["retry-after"] == "9"


async def test_a_neighbours_problem_is_passed_on_as_it_is(client: httpx.AsyncClient):
    answer = await client.get("/fails/refused")
    assert told(answer, HTTPStatus.CONFLICT, "frozen") == _REFUSAL


async def test_a_defect_keeps_its_text_to_the_log_and_the_log_keeps_the_secret(
    client: httpx.AsyncClient, logged: Callable[[], list[dict[str, Any]]]
):
    answer = await client.get("/fails/defect")
    told(answer, HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    (line,) = (line for line in logged() if line["event"] == "request_failed")
    assert line["path"] == "/fails/defect"
    assert line["exception"].endswith("RuntimeError: [redacted]")
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fails/missing", HTTPStatus.NOT_FOUND, "not-found"),
        ("/nowhere", HTTPStatus.NOT_FOUND, "not-found"),
        ("/bodies", HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed"),
        ("/fails/denied", HTTPStatus.FORBIDDEN, "forbidden"),
    ],
)
async def test_the_frameworks_errors_have_the_same_form(
    client: httpx.AsyncClient, path: str, status: HTTPStatus, code: str
):
    told(await client.get(path), status, code)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": 7}, "/title"),
        ({"title": "x", "colour": "red"}, "/colour"),
        ({"title": "x", "items": [{"text": "ok"}, {"text": "too long"}]}, "/items/1/text"),
        ({"title": "x", "items": [{"text": ""}]}, "/items/0/text"),
        ({"title": "x", "items": [{"text": "ok", "size": 1}]}, "/items/0/size"),
        ({"title": "x", "items": {}}, "/items"),
        ([], ""),
    ],
)
async def test_a_wrong_value_is_pointed_at(client: httpx.AsyncClient, body: object, pointer: str):
    answer = await client.post("/bodies", json=body)
    document = told(answer, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid")
    (error,) = document["errors"]
    assert error["pointer"] == pointer
    assert error["detail"]


async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient):
    answer = await client.get("/fails/missing", params={"limit": "many"})
    document = told(answer, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid")
    assert [error["parameter"] for error in document["errors"]] == ["limit"]


async def test_a_body_that_is_no_json_is_said_to_be_none(client: httpx.AsyncClient):
    answer = await client.post("/bodies", content=b'{"title": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert told(answer, HTTPStatus.BAD_REQUEST, "bad-request")["detail"]
