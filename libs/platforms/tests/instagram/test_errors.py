"""Instagram's errors: every number of its catalogue is one of the six kinds, and no message holds a secret."""

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
from platforms.instagram.answers import Container
from platforms.instagram.errors import INSTAGRAM_ERRORS, failure_of
from platforms.meta.errors import graph_error
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from platforms.wire import Answer
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

CREATE = "POST /v26.0/17841400000000001/media"

Kind = type[PlatformError]

ROWS: list[tuple[int, int | None, Kind, Kind]] = [
    (-2, 2207003, Transient, OutcomeUnknown),
    (-2, 2207020, Transient, Transient),
    (-2, None, Transient, OutcomeUnknown),
    (-1, 2207001, Transient, OutcomeUnknown),
    (-1, 2207032, Transient, OutcomeUnknown),
    (-1, 2207053, Transient, OutcomeUnknown),
    (-1, None, Transient, OutcomeUnknown),
    (1, None, Transient, OutcomeUnknown),
    (1, 2207057, Rejected, Rejected),
    (2, None, Transient, OutcomeUnknown),
    (3, None, Misconfigured, Misconfigured),
    (4, None, RateLimited, RateLimited),
    (4, 2207051, Rejected, OutcomeUnknown),
    (9, 2207042, RateLimited, RateLimited),
    (9, None, RateLimited, RateLimited),
    (10, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (17, None, RateLimited, RateLimited),
    (24, 2207006, Rejected, OutcomeUnknown),
    (24, 2207008, Transient, Transient),
    (24, None, Rejected, OutcomeUnknown),
    (25, 2207050, Rejected, Rejected),
    (25, None, Rejected, Rejected),
    (32, None, RateLimited, RateLimited),
    (100, None, Rejected, Rejected),
    (100, 33, Rejected, Rejected),
    (100, 2207023, Rejected, Rejected),
    (100, 2207028, Rejected, Rejected),
    (100, 2207035, Rejected, Rejected),
    (100, 2207036, Rejected, Rejected),
    (100, 2207037, Rejected, Rejected),
    (100, 2207040, Rejected, Rejected),
    (102, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (190, 463, ReauthorisationNeeded, ReauthorisationNeeded),
    (200, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (352, 2207026, Rejected, Rejected),
    (352, None, Rejected, Rejected),
    (368, None, Rejected, Rejected),
    (613, None, RateLimited, RateLimited),
    (9004, 2207052, Transient, Transient),
    (9004, None, Transient, Transient),
    (9007, 2207027, Transient, Transient),
    (9007, None, Transient, Transient),
    (36000, 2207004, Rejected, Rejected),
    (36000, None, Rejected, Rejected),
    (36001, 2207005, Rejected, Rejected),
    (36001, None, Rejected, Rejected),
    (36003, 2207009, Rejected, Rejected),
    (36003, None, Rejected, Rejected),
    (36004, 2207010, Rejected, Rejected),
    (36004, None, Rejected, Rejected),
    (80002, None, RateLimited, RateLimited),
    (99999, 2207076, Rejected, Rejected),
    (99999, 2207077, Transient, Transient),
    (99999, 2207081, Rejected, Rejected),
    (99999, 2207082, Transient, Transient),
    (99999, None, Rejected, Rejected),
]


NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(("code", "subcode", "creating", "publishing"), ROWS)
def test_every_number_has_its_kind_before_and_at_the_visible_step(
    code: int, subcode: int | None, creating: Kind, publishing: Kind
) -> None:
    error = {"message": "token hunter2", "code": code, "error_subcode": subcode, "fbtrace_id": "AtraceB"}
    answer = Answer(400, httpx.Headers(), json.dumps({"error": error}).encode())
    for expected, visible in ((creating, False), (publishing, True)):
        judged = graph_error(answer, INSTAGRAM_ERRORS, now=NOW, visible=visible)
        assert type(judged) is expected
        assert "hunter2" not in str(judged)
        assert "AtraceB" in str(judged)
        if isinstance(judged, Rejected):
            assert judged.advice
        if isinstance(judged, RateLimited):
            assert judged.until > NOW


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2207026, Rejected),
        (2207076, Rejected),
        (2207081, Rejected),
        (2207051, Rejected),
        (2207099, Rejected),
        (2207003, Transient),
        (2207053, Transient),
        (2207077, Transient),
        (2207082, Transient),
    ],
)
def test_the_same_numbers_say_why_a_container_failed(number: int, expected: Kind) -> None:
    status = f"Error: Media upload has failed with error code {number}"
    judged = failure_of(Container(status_code="ERROR", status=status))
    assert type(judged) is expected
    assert judged.code == str(number)


def test_a_container_that_failed_without_a_number_is_for_a_person() -> None:
    judged = failure_of(Container(status_code="ERROR", status="Error"))
    assert isinstance(judged, Rejected)
    assert (judged.code, bool(judged.advice)) == ("unknown", True)


def test_every_own_row_is_tried_above() -> None:
    tried = {(code, subcode) for code, subcode, _, _ in ROWS}
    known = {subcode for _, subcode in tried}
    own = [key for key in INSTAGRAM_ERRORS if str(key[1]).startswith("2207")]
    assert {subcode for _, subcode in own} <= known
    assert {key for key in own if key[0] is not None} <= tried


@pytest.mark.parametrize(("status", "expected"), [(500, Transient), (429, RateLimited), (401, ReauthorisationNeeded)])
def test_an_answer_of_no_known_form_is_judged_by_its_status(status: int, expected: Kind) -> None:
    judged = graph_error(Answer(status, httpx.Headers(), b"<html>"), INSTAGRAM_ERRORS, now=NOW)
    assert type(judged) is expected


async def test_the_account_s_limit_says_when_it_ends(
    instagram: Platform, call: Call, delivery: Delivery, sandbox: Sandbox
) -> None:
    usage = '{"17841400000000001":[{"type":"instagram","call_count":100,"estimated_time_to_regain_access":7}]}'
    sandbox.add_fault(
        "instagram",
        CREATE,
        "answer",
        status=400,
        body={"error": {"code": 80002, "message": "no"}},
        headers={"x-business-use-case-usage": usage},
    )
    with pytest.raises(RateLimited) as caught:
        await instagram.stage(call, delivery, MemoryJournal())
    assert caught.value.until - call.clock.now() == timedelta(minutes=7)
