"""Bluesky's errors: every word of its servers is one of the six kinds, and no message holds a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from platforms.bluesky.errors import OAUTH_ERRORS, UPLOAD_LOST, XRPC_ERRORS, oauth_error, xrpc_error
from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from platforms.wire import Answer
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PUT = "POST /xrpc/com.atproto.repo.putRecord"

ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (429, "RateLimitExceeded", RateLimited),
    (500, "InternalServerError", OutcomeUnknown),
    (502, "UpstreamFailure", OutcomeUnknown),
    (503, "NotEnoughResources", OutcomeUnknown),
    (504, "UpstreamTimeout", OutcomeUnknown),
    (520, "", OutcomeUnknown),
    (200, "", OutcomeUnknown),
    (400, "BlobNotFound", Transient),
    (400, "ExpiredToken", ReauthorisationNeeded),
    (400, "InvalidToken", ReauthorisationNeeded),
    (401, "AuthMissing", ReauthorisationNeeded),
    (401, "AuthenticationRequired", ReauthorisationNeeded),
    (401, "invalid_token", ReauthorisationNeeded),
    (401, "invalid_dpop_proof", Misconfigured),
    (403, "ScopeMissingError", ReauthorisationNeeded),
    (401, "", ReauthorisationNeeded),
    (401, "AccountTakedown", Rejected),
    (401, "AccountDeactivated", Rejected),
    (403, "AccountNotFound", Rejected),
    (400, "InvalidRequest", Rejected),
    (400, "InvalidMimeType", Rejected),
    (400, "InvalidSize", Rejected),
    (413, "PayloadTooLarge", Rejected),
    (413, "", Rejected),
    (415, "UnsupportedMediaType", Rejected),
    (404, "XRPCNotSupported", Misconfigured),
    (501, "MethodNotImplemented", Misconfigured),
    (400, "InvalidSwap", Transient),
    (401, "use_dpop_nonce", Transient),
    (400, "BadExpiration", Misconfigured),
    (418, "NeverHeardOf", Rejected),
]

UNSEEN_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (500, "InternalServerError", Transient),
    (502, "UpstreamFailure", Transient),
    (503, "NotEnoughResources", Transient),
    (504, "UpstreamTimeout", Transient),
    (520, "", Transient),
]

VIDEO_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (400, "UnsupportedContentType", Rejected),
    (400, "VideoTooLarge", Rejected),
    (400, "VideoTooLong", Rejected),
    (400, "BadAspectRatio", Rejected),
    (400, "DailyLimitExceeded", Rejected),
    (403, "UploadForbidden", Rejected),
    (400, "TooManyOpenUploads", RateLimited),
    (503, "ServiceOverloaded", Transient),
    (400, "UploadNotReady", Transient),
    *((400, code, Transient) for code in sorted(UPLOAD_LOST) if code[0].isupper()),
]

OAUTH_ROWS: list[tuple[str, int, type[PlatformError]]] = [
    ("invalid_grant", 400, ReauthorisationNeeded),
    ("access_denied", 400, ReauthorisationNeeded),
    ("invalid_token", 401, ReauthorisationNeeded),
    ("invalid_dpop_proof", 401, Misconfigured),
    ("use_dpop_nonce", 400, Transient),
    ("server_error", 500, Transient),
    ("temporarily_unavailable", 503, Transient),
    ("", 502, Transient),
    ("", 429, RateLimited),
    ("invalid_client", 400, Misconfigured),
    ("invalid_client_metadata", 400, Misconfigured),
    ("invalid_request", 400, Misconfigured),
    ("invalid_scope", 400, Misconfigured),
    ("unauthorized_client", 400, Misconfigured),
]


def answer(status: int, code: str) -> Answer:
    body = {"error": code, "message": "token hunter2"}
    return Answer(status, httpx.Headers(), json.dumps(body).encode())


@pytest.mark.parametrize(("status", "code", "expected"), ROWS)
def test_every_error_of_a_visible_call_has_its_kind(status: int, code: str, expected: type[PlatformError]) -> None:
    error = xrpc_error(answer(status, code), now=NOW, visible=True)
    assert type(error) is expected
    assert "hunter2" not in str(error)
    assert not isinstance(error, Rejected) or error.advice


@pytest.mark.parametrize(("status", "code", "expected"), [*UNSEEN_ROWS, *VIDEO_ROWS])
def test_every_error_of_a_call_that_nobody_sees_has_its_kind(
    status: int, code: str, expected: type[PlatformError]
) -> None:
    error = xrpc_error(answer(status, code), now=NOW)
    assert type(error) is expected
    assert "hunter2" not in str(error)
    assert not isinstance(error, Rejected) or error.advice


def test_no_word_of_the_table_is_without_a_row_here() -> None:
    assert {code for _, code, _ in [*ROWS, *VIDEO_ROWS]} >= XRPC_ERRORS.keys()
    assert {code for code, _, _ in OAUTH_ROWS} >= OAUTH_ERRORS.keys()


@pytest.mark.parametrize(("code", "status", "expected"), OAUTH_ROWS)
def test_every_oauth_error_has_its_kind(code: str, status: int, expected: type[PlatformError]) -> None:
    assert type(oauth_error(code, status, now=NOW)) is expected


async def test_an_error_is_told_without_what_the_server_wrote(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Hello")
    await bluesky.stage(bluesky_call, delivery, journal)
    body = {"error": "InvalidRequest", "message": "token hunter2"}
    sandbox.add_fault("bluesky", PUT, "answer", status=400, body=body)
    with pytest.raises(Rejected, match="InvalidRequest") as caught:
        await bluesky.publish(bluesky_call, delivery, journal)
    assert "hunter2" not in str(caught.value) + caught.value.advice


@pytest.mark.parametrize(
    ("reset", "wait"), [("in time", 900), ("1", 1), ("99999999999", 86_400), ("soon", 300), ("", 300)]
)
async def test_a_rate_limit_is_waited_for_as_long_as_it_says(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    reset: str,
    wait: int,
) -> None:
    if reset == "in time":
        reset = str(int(clock.now().timestamp()) + wait)
    delivery = make_delivery("Hello")
    await bluesky.stage(bluesky_call, delivery, journal)
    headers: dict[str, Any] = {"RateLimit-Reset": reset}
    sandbox.add_fault("bluesky", PUT, "answer", status=429, body={"error": "RateLimitExceeded"}, headers=headers)
    with pytest.raises(RateLimited) as caught:
        await bluesky.publish(bluesky_call, delivery, journal)
    assert caught.value.until == clock.now() + timedelta(seconds=wait)
