"""Each row of the table of errors, as X says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.wire import Answer
from platforms.x.errors import FORBIDDEN_WORDS, NUMBERS, OAUTH_ERRORS, PROBLEMS, WORDS, api_error, oauth_error

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FORBIDDEN = {"title": "Forbidden", "type": "about:blank", "status": 403}


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(status, httpx.Headers(headers or {}), raw)


def problem(kind: str, **members: Any) -> dict[str, Any]:
    return {"title": "Something", "detail": "Something", "type": f"https://api.x.com/2/problems/{kind}", **members}


def number(code: int) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": "Something"}]}


def said(detail: str) -> dict[str, Any]:
    return FORBIDDEN | {"detail": detail}


ROWS: list[tuple[int, Any, type[PlatformError], str]] = [
    (429, problem("rate-limit-exceeded"), RateLimited, "rate_limited"),
    (429, problem("usage-capped", period="Monthly"), RateLimited, "usage-capped"),
    (403, problem("usage-capped", period="Daily"), RateLimited, "usage-capped"),
    (402, problem("credits", title="CreditsDepleted"), RateLimited, "credits_depleted"),
    (403, problem("unsupported-authentication"), ReauthorisationNeeded, "unsupported-authentication"),
    (403, problem("oauth1-permissions"), ReauthorisationNeeded, "oauth1-permissions"),
    (403, problem("client-forbidden", reason="client-not-enrolled"), Misconfigured, "client-forbidden"),
    (400, problem("invalid-request"), Rejected, "invalid-request"),
    (404, problem("resource-not-found"), Rejected, "resource-not-found"),
    (403, problem("resource-unavailable"), Rejected, "resource-unavailable"),
    (403, problem("not-authorized-for-resource"), Rejected, "not-authorized-for-resource"),
    (403, problem("not-authorized-for-field"), Rejected, "not-authorized-for-field"),
    (403, problem("field-unauthorized"), Rejected, "field-unauthorized"),
    (400, problem("field-hydration-failure"), Transient, "field-hydration-failure"),
    (403, problem("disallowed-resource"), Rejected, "disallowed-resource"),
    (500, problem("internal-error"), Transient, "internal-error"),
    (409, problem("conflict"), Transient, "conflict"),
    (403, number(64), ReauthorisationNeeded, "account_locked"),
    (429, number(88), RateLimited, "rate_limited"),
    (401, number(89), ReauthorisationNeeded, "unauthorized"),
    (403, number(185), RateLimited, "daily_limit"),
    (403, number(186), Rejected, "text_too_long"),
    (403, number(187), Rejected, "duplicate_content"),
    (403, number(226), Rejected, "looks_automated"),
    (403, number(326), ReauthorisationNeeded, "account_locked"),
    (403, said("You are not allowed to create a Tweet with duplicate content."), Rejected, "duplicate_content"),
    (400, {"title": "CreditsDepleted", "detail": "none left"}, RateLimited, "credits_depleted"),
    (400, problem("invalid-request", detail="Your media IDs are invalid."), Rejected, "media_invalid"),
    (400, problem("invalid-request", errors=[{"message": "media type unrecognized."}]), Rejected, "media_type"),
    (403, said("You can post a maximum of one cashtag in a Tweet."), Rejected, "cashtags"),
    (403, said("The Tweet contains an invalid URL."), Rejected, "link_refused"),
    (403, said("This user is not allowed to post a video longer than 2 minutes"), Rejected, "video_too_long"),
    (403, said("Your account is not permitted to access this feature"), Rejected, "feature"),
    (403, said("Mentions of this account are not allowed for your package"), Rejected, "mention"),
    (403, said("Your account is suspended"), ReauthorisationNeeded, "account_locked"),
    (403, said("This account is temporarily locked."), ReauthorisationNeeded, "account_locked"),
    (403, said("The token lacks a scope"), ReauthorisationNeeded, "oauth1-permissions"),
    (403, said("You are not permitted to perform this action."), Rejected, "not_permitted"),
    (401, {"title": "Unauthorized", "type": "about:blank", "status": 401}, ReauthorisationNeeded, "unauthorized"),
    (402, {}, RateLimited, "credits_depleted"),
    (404, {}, Rejected, "resource-not-found"),
    (408, {}, Transient, "busy"),
    (409, {}, Transient, "conflict"),
    (429, {"title": "Too Many Requests", "type": "about:blank"}, RateLimited, "rate_limited"),
    (503, {"title": "Service Unavailable", "type": "about:blank", "status": 503}, Transient, "server_error"),
    (502, b"<html>", Transient, "server_error"),
    (302, b"", Transient, "server_error"),
    (418, b"", Rejected, "status_418"),
    (418, {"errors": 5, "type": 7, "detail": None}, Rejected, "status_418"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), ROWS)
def test_each_row_of_the_table(status: int, body: Any, kind: type[PlatformError], code: str) -> None:
    error = api_error(answer(status, body), now=NOW)
    assert (type(error), error.code) == (kind, code)
    assert error.detail
    assert getattr(error, "advice", "unset") != ""


def test_no_row_is_left_out() -> None:
    rows = [*PROBLEMS.values(), *NUMBERS.values(), *(row for _, row in WORDS + FORBIDDEN_WORDS)]
    assert {row.code for row in rows} <= {code for *_, code in ROWS}


def test_words_of_a_refused_value_are_not_taken_for_a_reason() -> None:
    message = "$.reply_settings: is not in the enumeration [following, mentionedUsers, subscribers, verified]"
    error = api_error(answer(400, problem("invalid-request", errors=[{"message": message}])), now=NOW)
    assert error.code == "invalid-request"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 302])
def test_a_server_error_on_the_visible_step_leaves_it_open(status: int) -> None:
    assert isinstance(api_error(answer(status, problem("internal-error")), now=NOW, visible=True), OutcomeUnknown)
    assert not isinstance(api_error(answer(429, {}), now=NOW, visible=True), OutcomeUnknown)


def unix(seconds: float) -> str:
    return str(int((NOW + timedelta(seconds=seconds)).timestamp()))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 900),
        ({"x-rate-limit-reset": unix(60)}, 60),
        ({"retry-after": "30"}, 30),
        ({"x-rate-limit-reset": unix(-60)}, 1),
        ({"x-rate-limit-reset": unix(900_000)}, 86_400),
        ({"x-rate-limit-reset": "soon"}, 900),
        (
            {
                "x-rate-limit-reset": unix(60),
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": unix(4000),
            },
            4000,
        ),
        (
            {"x-rate-limit-reset": unix(60), "x-app-limit-24hour-remaining": "7", "x-app-limit-24hour-reset": unix(9)},
            60,
        ),
    ],
)
def test_x_says_when_to_come_back(headers: dict[str, str], seconds: float) -> None:
    error = api_error(answer(429, {}, headers), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


INVALID = "Value passed for the {} was invalid."


@pytest.mark.parametrize(
    ("status", "word", "description", "kind"),
    [
        (400, "invalid_request", INVALID.format("token"), ReauthorisationNeeded),
        (400, "invalid_request", INVALID.format("authorization code"), ReauthorisationNeeded),
        (400, "invalid_grant", "", ReauthorisationNeeded),
        (400, "access_denied", "", ReauthorisationNeeded),
        (401, "unauthorized_client", "Missing valid authorization header", Misconfigured),
        (401, "invalid_client", "", Misconfigured),
        (400, "invalid_scope", "", Misconfigured),
        (400, "unsupported_grant_type", "", Misconfigured),
        (400, "invalid_request", "Missing required parameter [code_verifier].", Misconfigured),
        (400, "server_error", "", Transient),
        (400, "temporarily_unavailable", "", Transient),
        (503, "invalid_request", "", Transient),
        (429, "", "", RateLimited),
        (401, "something", "", Misconfigured),
        (418, "something", "", Misconfigured),
    ],
)
def test_each_row_of_the_token_endpoint(status: int, word: str, description: str, kind: type[PlatformError]) -> None:
    error = oauth_error(answer(status, {"error": word, "error_description": description}), now=NOW)
    assert type(error) is kind
    assert len(OAUTH_ERRORS) == 9
