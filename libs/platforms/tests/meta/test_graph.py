"""The Graph client's ways: where a token goes, how values are written, when a list ends, what a success is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import OutcomeUnknown, ReauthorisationNeeded, Rejected, Transient
from platforms.meta.errors import ERRORS
from platforms.meta.graph import Done, Graph, Key, form_of
from platforms.meta.tokens import LONG_LIVED_SECONDS, code_from, trade_token
from platforms.shape import Call, Grant

GRAPH = Graph("https://graph.example")


class Item(msgspec.Struct):
    id: str


def calling(answers: Sequence[tuple[int, Any]]) -> tuple[Call, list[httpx.Request]]:
    """A call whose requests are answered from a list, and the requests."""
    waiting, seen = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status, body = waiting.pop(0)
        return httpx.Response(status, content=body) if isinstance(body, bytes) else httpx.Response(status, json=body)

    clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    grant = Grant("1", Secret("EAAB"), None, (), clock.now(), None, {"appsecret_proof": Secret("f00")})
    return Call(http, clock, grant), seen


async def test_the_token_goes_in_a_header_and_the_proof_beside_it() -> None:
    call, seen = calling([(200, {"id": "1"}), (200, {"success": True}), (200, b"true")])
    await GRAPH.get(call, "me", Item, fields="id", limit=3, left_out=None)
    await GRAPH.post(call, "1/feed", Done, message="a&b", published=False)
    await GRAPH.delete(call, "1/permissions", key=Key(Secret("app|secret")))
    read, write, remove = seen
    assert str(read.url) == "https://graph.example/v26.0/me?fields=id&limit=3&appsecret_proof=f00"
    assert parse_qs(write.content.decode()) == {"message": ["a&b"], "published": ["false"], "appsecret_proof": ["f00"]}
    assert write.url.query == b""
    assert [request.headers["authorization"] for request in seen] == ["Bearer EAAB", "Bearer EAAB", "Bearer app|secret"]
    assert (remove.method, remove.url.query) == ("DELETE", b"")


def test_values_are_written_as_meta_takes_them() -> None:
    fields = form_of({"a": True, "b": 7, "c": ["x", {"y": "é"}], "d": None, "e": Secret("s"), "f": ""})
    assert fields == {"a": "true", "b": "7", "c": '["x",{"y":"é"}]', "e": "s", "f": ""}


def page(ids: Sequence[str], after: str | None, *, further: bool) -> tuple[int, dict[str, Any]]:
    paging: dict[str, Any] = {"cursors": {"after": after}} if after else {}
    if further:
        paging["next"] = "https://graph.example/v26.0/me/accounts?access_token=EAAB&after=" + (after or "")
    return 200, {"data": [{"id": each} for each in ids], "paging": paging}


@pytest.mark.parametrize(
    ("answers", "ids", "asked"),
    [
        ([page(["1"], "c1", further=True), page([], "c2", further=True), page(["2"], "c3", further=False)], "12", 3),
        ([page(["1"], "c1", further=False)], "1", 1),
        ([page(["1"], None, further=True)], "1", 1),
        ([(200, {"data": []})], "", 1),
        ([page([str(number)], f"c{number}", further=True) for number in range(4)], "0123", 4),
    ],
)
async def test_a_list_is_read_to_the_page_without_a_next_one(answers: Any, ids: str, asked: int) -> None:
    call, seen = calling(answers)
    found = [item.id async for item in GRAPH.every(call, "me/accounts", Item, pages_max=4, limit=1)]
    assert "".join(found) == ids
    assert len(seen) == asked
    assert not [request for request in seen if "access_token" in str(request.url)]


@pytest.mark.parametrize("body", [b"", b"<html>", {"success": False}, {"id": ["?"]}, {"error": {"code": 424242}}])
async def test_a_success_that_is_none_leaves_a_visible_call_open(body: Any) -> None:
    call, _ = calling([(200, body), (200, body)])
    with pytest.raises(Transient):
        await GRAPH.post(call, "1/feed", Item)
    with pytest.raises(OutcomeUnknown):
        await GRAPH.post(call, "1/feed", Item, visible=True)


async def test_a_token_is_traded_in_a_form_and_errors_of_both_forms_are_raised() -> None:
    flat = {"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"}
    call, seen = calling([(200, {"access_token": "EAAB1"}), (400, flat), (400, {"error": {"code": 100}})])
    form = {"client_secret": Secret("s3cret"), "code": "AQ"}
    url = "https://graph.example/oauth/access_token"
    token = await trade_token(call.http, url, form, table=ERRORS, clock=call.clock)
    assert (token.expires_at(call.clock.now()) - call.clock.now()).total_seconds() == LONG_LIVED_SECONDS
    assert b"s3cret" in seen[0].content
    assert "s3cret" not in str(seen[0].url)
    with pytest.raises(ReauthorisationNeeded):
        await trade_token(call.http, url, form, table=ERRORS, clock=call.clock)
    with pytest.raises(Rejected):
        await trade_token(call.http, url, form, table=ERRORS, clock=call.clock)


@pytest.mark.parametrize(
    ("callback", "code"),
    [
        ({"code": "AQ1"}, "AQ1"),
        ({"code": "AQ1#_"}, "AQ1"),
        ({"code": "AQ1#_=_"}, "AQ1"),
        ({"code": "#_"}, None),
        ({}, None),
    ],
)
def test_what_hangs_on_a_code_is_cut_off(callback: dict[str, str], code: str | None) -> None:
    assert code_from(callback) == code
