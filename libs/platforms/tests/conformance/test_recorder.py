"""A test fails for its own calls: what deviates is kept, what the table allows is not, what nobody needs is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace

import httpx
import pytest
from sandbox.faults import PLANNED

from libs.platforms.tests.conformance import Difference, Recorder
from libs.platforms.tests.conformance.openapi import OpenApi
from libs.platforms.tests.conformance.recorder import held_against
from libs.platforms.tests.conformance.test_openapi import DOCUMENT

BASE = "http://127.0.0.1:1"
ALLOWED = Difference("POST /v5/posts", "answer", "/body/extra", "unknown_property", "It really answers it.", status=201)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(BASE, OpenApi(DOCUMENT), [ALLOWED])


@pytest.fixture
async def client(recorder: Recorder) -> AsyncIterator[httpx.AsyncClient]:
    """Answers as the request's body says."""

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = json.loads(request.headers["x-answer"])
        return httpx.Response(201, json=wanted, headers={PLANNED: "answer"} if "planned" in wanted else {})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=BASE) as client:
        with recorder.listening_to(client):
            yield client


async def post(client: httpx.AsyncClient, body: object, answer: object, path: str = "/v5/posts") -> bytes:
    async with client.stream("POST", path, json=body, headers={"x-answer": json.dumps(answer)}) as response:
        return b"".join([piece async for piece in response.aiter_bytes()])


async def test_right_calls_leave_nothing_behind_and_are_answered_whole(
    client: httpx.AsyncClient, recorder: Recorder
) -> None:
    assert json.loads(await post(client, {"text": "hello"}, {"text": "hi"})) == {"text": "hi"}
    assert (recorder.found, recorder.exchanges) == ({}, 1)


async def test_a_deviation_is_kept_once_with_the_line_that_would_allow_it(
    client: httpx.AsyncClient, recorder: Recorder
) -> None:
    for _ in range(2):
        await post(client, {"text": "hello", "typo": 1}, {"text": "too long"})
    assert [(found.direction, found.pointer) for found in recorder.found] == [
        ("request", "/body/typo"),
        ("answer", "/body/text"),
    ]
    report = recorder.report()
    assert report.startswith("2 deviations")
    assert 'Difference("POST /v5/posts", "answer", "/body/text", "maxLength", reason=…)' in report


@pytest.mark.parametrize(("answer", "is_right"), [({"text": "hi"}, True), ({"text": "too long"}, False)])
async def test_a_test_fails_for_a_deviation_of_its_own(
    recorder: Recorder, client: httpx.AsyncClient, answer: object, is_right: bool
) -> None:
    expected = (
        nullcontext() if is_right else pytest.raises(pytest.fail.Exception, match=r"(?s)1 deviations.*/body/text")
    )
    with expected, held_against(recorder, client):
        await post(client, {"text": "hello"}, answer)


async def test_what_the_table_allows_is_no_deviation_and_makes_its_entry_used(
    client: httpx.AsyncClient, recorder: Recorder
) -> None:
    assert recorder.unused() == [ALLOWED]
    await post(client, {"text": "hello"}, {"text": "hi", "extra": 1})
    assert (recorder.found, recorder.unused()) == ({}, [])


async def test_a_planned_answer_is_let_be_but_not_the_request(client: httpx.AsyncClient, recorder: Recorder) -> None:
    await post(client, {"typo": 1, "text": ""}, {"planned": True})
    assert [found.direction for found in recorder.found] == ["request"]


async def test_calls_of_others_are_not_looked_at(client: httpx.AsyncClient, recorder: Recorder) -> None:
    await post(client, {}, {}, "http://127.0.0.1:2/elsewhere")
    await post(client, {}, {}, "/_sandbox/faults")
    with recorder.not_looking():
        await post(client, {}, {})
    assert recorder.found == {}


async def test_a_file_is_not_read_before_it_is_sent(client: httpx.AsyncClient, recorder: Recorder) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"once"

    headers = {"content-type": "video/mp4", "x-answer": json.dumps({"text": ""})}
    await client.post("/v5/posts", content=pieces(), headers=headers)
    assert [found.rule for found in recorder.found] == ["content_type"]


@pytest.mark.parametrize(
    ("entry", "needed"),
    [
        (ALLOWED, True),
        (replace(ALLOWED, pointer="/body/pet/*/deep", example={"text": "", "pet": {"barks": {"deep": 1}}}), False),
        (replace(ALLOWED, pointer="/body/text"), False),
        (Difference("POST /v5/posts", "answer", "/body/text", "maxLength", "r", {"text": "too long"}, 201), True),
        (Difference("POST /v5/posts", "answer", "/body/text", "maxLength", "r", {"text": "short"}, 201), False),
        (Difference("GET /v5/posts", "request", "/query/page", "unknown_parameter", "r"), True),
        (Difference("GET /v5/posts", "request", "/query/ids", "maxItems", "r", {"ids": "1,2,3"}), True),
        (Difference("GET /v5/posts", "request", "/query/ids", "maxItems", "r", {"ids": "1"}), False),
        (Difference("GET /oauth/*", "request", "", "unknown_route", "r"), True),
        (Difference("GET /v5/posts", "request", "", "unknown_route", "r"), False),
        (Difference("POST /v5/posts", "answer", "/status", "unknown_status", "r", status=202), True),
        (Difference("POST /v5/posts", "answer", "/status", "unknown_status", "r", status=201), False),
    ],
)
def test_an_entry_is_needed_as_long_as_the_specification_objects(entry: Difference, needed: bool) -> None:
    assert entry.is_needed(OpenApi(DOCUMENT)) is needed


async def test_without_a_specification_nothing_is_claimed() -> None:
    recorder = Recorder(BASE, None, [ALLOWED])
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        with recorder.listening_to(client):
            await client.get("/anything")
    assert (recorder.found, recorder.exchanges, recorder.unused()) == ({}, 0, [])
