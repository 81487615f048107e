"""Errors of all Meta products that are in no table: by what else the answer tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from platforms.errors import (
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.meta.errors import ERRORS, USER_MESSAGE_MAX, Kind, Row, Table, graph_error, row_for
from platforms.wire import Answer

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
USED_UP = '{"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": %d}]}'


def error_of(
    body: object, status: int = 400, *, visible: bool = False, headers: dict[str, str] | None = None
) -> PlatformError:
    content = body if isinstance(body, bytes) else httpx.Response(200, json=body).content
    return graph_error(Answer(status, httpx.Headers(headers), content), ERRORS, now=NOW, visible=visible)


@pytest.mark.parametrize(
    ("status", "unseen", "visible"),
    [
        (400, Rejected, Rejected),
        (401, ReauthorisationNeeded, ReauthorisationNeeded),
        (404, Rejected, Rejected),
        (429, RateLimited, RateLimited),
        (500, Transient, OutcomeUnknown),
        (503, Transient, OutcomeUnknown),
        (200, Transient, OutcomeUnknown),
        (302, Transient, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", {"error": {"code": 424242}}, {"error": {"code": "x"}}, {"error": "no"}])
def test_an_unknown_error_is_judged_by_its_status(
    body: object, status: int, unseen: type[PlatformError], visible: type[PlatformError]
) -> None:
    assert type(error_of(body, status)) is unseen
    assert type(error_of(body, status, visible=True)) is visible


def test_what_meta_calls_passing_is_repeated_but_never_blindly() -> None:
    body = {"error": {"code": 424242, "is_transient": True}}
    assert type(error_of(body)) is Transient
    assert type(error_of(body, visible=True)) is OutcomeUnknown
    limited = {"error": {"code": 4, "is_transient": True}}
    assert type(error_of(limited, visible=True)) is RateLimited


def test_the_closest_row_decides() -> None:
    pair, sub, code = (Row(Kind.REJECT, word, "Act.") for word in ("pair", "sub", "code"))
    table = {(4, 7): pair, (None, 7): sub, (4, None): code}
    assert row_for(4, 7, table) is pair
    assert row_for(5, 7, table) is sub
    assert row_for(4, 8, table) is code
    assert row_for(4, None, table) is code
    assert row_for(5, 8, table) is None
    assert row_for(None, None, table) is None


def test_codes_may_come_as_text() -> None:
    error = error_of({"error": {"code": "190", "error_subcode": "463"}})
    assert (type(error), error.code) == (ReauthorisationNeeded, "190.463")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"x-business-use-case-usage": USED_UP % 12}, 720),
        ({"X-Business-Use-Case-Usage": USED_UP % 999_999}, 24 * 3600),
        ({"x-business-use-case-usage": USED_UP % 0}, 300),
        ({"x-business-use-case-usage": "{"}, 300),
        ({"x-business-use-case-usage": "[]"}, 300),
        ({"x-business-use-case-usage": '{"1": [7, {"estimated_time_to_regain_access": "soon"}]}'}, 300),
        ({"x-app-usage": '{"call_count": 100}'}, 300),
    ],
)
def test_a_limit_is_waited_for_as_long_as_meta_says_within_bounds(headers: dict[str, str], seconds: int) -> None:
    error = error_of({"error": {"code": 80001}}, headers=headers)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


def test_a_row_may_name_its_own_wait() -> None:
    table: Table = {(9, None): Row(Kind.WAIT, "the quota is used", wait_seconds=3600)}
    answer = Answer(400, httpx.Headers(), b'{"error": {"code": 9}}')
    error = graph_error(answer, table, now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(hours=1)


def test_what_meta_tells_the_person_is_passed_on_without_anything_like_a_token() -> None:
    told = "Change\n the  link. EAAB" + "x" * 60
    body: dict[str, Any] = {"error": {"code": 100, "message": "Malformed EAABsecret", "error_user_msg": told}}
    detail = error_of(body).detail
    assert "Change the link. …" in detail
    assert "EAAB" not in detail
    body["error"]["error_user_msg"] = "word " * 400
    assert len(error_of(body).detail) < USER_MESSAGE_MAX + 100
    body["error"] = {"code": 190, "error_user_msg": "Log in again"}
    assert "Log in" not in error_of(body).detail


@pytest.mark.parametrize(("code", "kind"), [(400, ReauthorisationNeeded), (500, Transient), ("?", Transient)])
def test_the_other_form_of_the_authorisation_hosts_is_understood(code: object, kind: type[PlatformError]) -> None:
    body = {"error_type": "OAuthException", "code": code, "error_message": "Matching code was not found"}
    error = error_of(body)
    assert (type(error), error.code) == (kind, "OAuthException")
