"""Every row of Pinterest's errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

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
from platforms.pinterest.errors import ERRORS, WORDS, api_error, oauth_error
from platforms.wire import Answer

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

ROWS: dict[tuple[int, int | None], type[PlatformError]] = {
    (401, 2): ReauthorisationNeeded,
    (401, 3): ReauthorisationNeeded,
    (401, None): ReauthorisationNeeded,
    (400, 283): ReauthorisationNeeded,
    (401, 283): ReauthorisationNeeded,
    (403, 29): Misconfigured,
    (403, None): Misconfigured,
    (404, 40): Rejected,
    (404, 50): Rejected,
    (404, None): Rejected,
    (400, 1): Rejected,
    (400, None): Rejected,
    (429, None): RateLimited,
}


def answer(status: int, code: int | None = None, message: str = "", **headers: str) -> Answer:
    body = json.dumps({"code": code, "message": message}).encode()
    return Answer(status, httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}), body)


def test_the_rows_tried_here_are_all_there_are():
    assert ROWS.keys() == ERRORS.keys()
    assert WORDS.keys() == {"spam", "unable to reach the url"}


@pytest.mark.parametrize(("row", "kind"), ROWS.items())
def test_a_row_of_the_table(row: tuple[int, int | None], kind: type[PlatformError]):
    status, code = row
    error = api_error(answer(status, code if code is not None else 9999), now=NOW, visible=True)
    assert type(error) is kind
    assert not isinstance(error, Rejected) or error.advice


@pytest.mark.parametrize("status", [403, 429])
def test_an_account_held_for_spam_waits_a_day(status: int):
    error = api_error(answer(status, 29, "This was blocked as Spam."), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(days=1)


def test_a_file_that_could_not_be_fetched_is_tried_again():
    assert type(api_error(answer(400, 1, "Unable to reach the URL. Please check"), now=NOW, visible=True)) is Transient


@pytest.mark.parametrize("status", [500, 502, 503, 200])
def test_a_server_error_leaves_a_visible_step_open_and_others_repeatable(status: int):
    assert type(api_error(answer(status), now=NOW, visible=True)) is OutcomeUnknown
    assert type(api_error(answer(status), now=NOW)) is Transient


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_reset": "17"}, 17),
        ({"retry_after": "5", "x_ratelimit_reset": "17"}, 5),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "999999999"}, 86_400),
        ({"retry_after": "soon"}, 60),
        ({}, 60),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_says_within_a_day(headers: dict[str, str], seconds: int):
    error = api_error(answer(429, 8, **headers), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


def test_the_token_endpoint_means_our_own_credentials():
    assert type(oauth_error(answer(401, 2), now=NOW)) is Misconfigured
    assert type(oauth_error(answer(400, 283), now=NOW)) is ReauthorisationNeeded


def test_the_message_stays_out_of_the_error():
    assert "pina_secret" not in repr(api_error(answer(400, 1, "bad token pina_secret"), now=NOW))
