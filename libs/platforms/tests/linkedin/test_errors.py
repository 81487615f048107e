"""Every row of LinkedIn's errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
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
from platforms.linkedin.errors import ERRORS, OAUTH, STATUSES, Duplicate, api_error, oauth_error
from platforms.wire import Answer

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

ROWS: dict[str | int, tuple[int, type[PlatformError]]] = {
    "TOO_MANY_REQUESTS": (429, RateLimited),
    "CONFLICT": (409, Transient),
    "MEDIA_ASSET_WAITING_UPLOAD": (400, RateLimited),
    "EXPIRED_UPLOAD_URL": (400, Transient),
    "INVALID_ACCESS_TOKEN": (401, ReauthorisationNeeded),
    "REVOKED_ACCESS_TOKEN": (401, ReauthorisationNeeded),
    "EXPIRED_ACCESS_TOKEN": (401, ReauthorisationNeeded),
    "EMPTY_ACCESS_TOKEN": (401, ReauthorisationNeeded),
    65600: (401, ReauthorisationNeeded),
    65601: (401, ReauthorisationNeeded),
    65602: (401, ReauthorisationNeeded),
    65604: (401, ReauthorisationNeeded),
    "ACCESS_DENIED": (403, ReauthorisationNeeded),
    100: (403, ReauthorisationNeeded),
    "MISSING_FIELD": (400, Rejected),
    "INVALID_URN_TYPE": (400, Rejected),
    "INVALID_URN_ID": (400, Rejected),
    "INVALID_VALUE_FOR_FIELD": (400, Rejected),
    "INVALID_VALUE_BLANK_FIELD": (400, Rejected),
    "FIELD_LENGTH_TOO_LONG": (400, Rejected),
    "ILLEGAL_ARGUMENT": (400, Rejected),
    "UNPROCESSABLE_ENTITY": (422, Rejected),
    "MEDIA_ASSET_PROCESSING_FAILED": (400, Rejected),
    "INVALID_VIDEO_ID": (400, Rejected),
    "DUPLICATE_POST": (422, Duplicate),
    "VERSION_MISSING": (400, Misconfigured),
    "NONEXISTENT_VERSION": (426, Misconfigured),
    "NOT_FOUND": (404, Rejected),
}
BY_STATUS: dict[int, type[PlatformError]] = {
    401: ReauthorisationNeeded,
    403: ReauthorisationNeeded,
    404: Rejected,
    409: Transient,
    426: Misconfigured,
    429: RateLimited,
}
TOKEN_ENDPOINT: dict[str, type[PlatformError]] = {
    "invalid_request": ReauthorisationNeeded,
    "invalid_grant": ReauthorisationNeeded,
    "invalid_redirect_uri": Misconfigured,
    "invalid_client": Misconfigured,
    "unauthorized_client": Misconfigured,
}


def answer(status: int, document: Any = None, **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.Headers(told), json.dumps(document).encode())


def test_the_rows_tried_here_are_all_there_are():
    assert (ROWS.keys(), BY_STATUS.keys(), TOKEN_ENDPOINT.keys()) == (ERRORS.keys(), STATUSES.keys(), OAUTH.keys())


@pytest.mark.parametrize(("name", "expected"), ROWS.items())
def test_a_row_of_the_table(name: str | int, expected: tuple[int, type[PlatformError]]):
    status, kind = expected
    told = {"code": name} if isinstance(name, str) else {"serviceErrorCode": name}
    error = api_error(answer(status, told), now=NOW, visible=True)
    assert type(error) is kind
    assert not isinstance(error, Rejected) or error.advice


@pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
def test_a_code_that_is_not_known_is_judged_by_its_status(status: int, kind: type[PlatformError]):
    assert type(api_error(answer(status, {"code": "NEW"}), now=NOW, visible=True)) is kind


@pytest.mark.parametrize(("word", "kind"), TOKEN_ENDPOINT.items())
def test_a_row_of_the_token_endpoint(word: str, kind: type[PlatformError]):
    assert type(oauth_error(answer(400, {"error": word}), now=NOW)) is kind


def test_the_most_precise_name_decides():
    inputs = [{"code": "MEDIA_ASSET_WAITING_UPLOAD", "description": "x", "input": {}}]
    told = {"code": "ILLEGAL_ARGUMENT", "status": 400, "errorDetails": {"inputErrors": inputs}}
    assert api_error(answer(400, told), now=NOW).code == "MEDIA_ASSET_WAITING_UPLOAD"


def test_a_duplicate_names_the_earlier_post():
    """The vector is the form that LinkedIn's answer has."""
    told = {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": "BadRequestResponseException: Content is a duplicate of urn:li:share:7141138937766391808",
        "errorDetails": {"inputErrors": [{"description": "Duplicate", "input": {}, "code": "DUPLICATE_POST"}]},
        "status": 422,
    }
    error = api_error(answer(422, told), now=NOW, visible=True)
    assert isinstance(error, Duplicate)
    assert error.post_urn == "urn:li:share:7141138937766391808"


@pytest.mark.parametrize("document", [None, [], {}, {"errorDetails": 1}, {"errorDetails": {"inputErrors": [1]}}])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 302])
def test_a_server_error_leaves_a_visible_step_open_and_others_repeatable(status: int, document: Any):
    assert type(api_error(answer(status, document), now=NOW, visible=True)) is OutcomeUnknown
    assert type(api_error(answer(status, document), now=NOW)) is Transient


def test_a_server_error_with_a_known_code_still_leaves_a_visible_step_open():
    assert type(api_error(answer(500, {"code": "ILLEGAL_ARGUMENT"}), now=NOW, visible=True)) is OutcomeUnknown


@pytest.mark.parametrize("who", ["APPLICATION", "MEMBER"])
def test_a_quota_of_a_day_is_waited_for_until_midnight(who: str):
    message = f"Resource level throttle {who} DAY limit for calls to this resource is reached."
    error = api_error(answer(429, {"message": message, "code": "TOO_MANY_REQUESTS"}), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(("told", "seconds"), [("5", 5), ("0", 1), ("999999999", 86_400), ("soon", 60), ("", 60)])
def test_any_other_limit_is_waited_for_within_a_day(told: str, seconds: int):
    error = api_error(answer(429, {}, retry_after=told), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


def test_the_message_stays_out_of_the_error():
    assert "AQVsecret" not in repr(api_error(answer(400, {"message": "bad token AQVsecret"}), now=NOW))
    assert "AQV secret" not in repr(api_error(answer(400, {"code": "AQV secret"}), now=NOW))
