"""Bluesky's errors: every word of its servers is one of the six kinds, and no message holds a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
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
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

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
    (401, "invalid_dpop_proof", ReauthorisationNeeded),
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
    (418, "NeverHeardOf", Rejected),
]


@pytest.mark.parametrize(("status", "code", "expected"), ROWS)
async def test_every_error_has_its_kind(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    code: str,
    expected: type[PlatformError],
) -> None:
    delivery = make_delivery("Hello")
    await bluesky.stage(bluesky_call, delivery, journal)
    body = {"error": code, "message": "token hunter2"}
    sandbox.add_fault("bluesky", PUT, "answer", status=status, body=body)
    with pytest.raises(expected) as caught:
        await bluesky.publish(bluesky_call, delivery, journal)
    assert "hunter2" not in str(caught.value)
    if isinstance(caught.value, Rejected):
        assert caught.value.advice


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
