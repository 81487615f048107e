"""Threads' errors: every row is one of the six kinds, and no message holds a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from platforms.meta.errors import ERRORS
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from platforms.threads.errors import MEDIA_WORDS, THREADS_ERRORS, WORDS, media_error, proven_refusal, threads_error
from platforms.wire import Answer
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def answered(error: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    told = {"message": "token hunter2 is", "type": "THApiException", "fbtrace_id": "ABCtrace"} | dict(error)
    return Answer(400, httpx.Headers(headers), json.dumps({"error": told}).encode())


OWN_ROWS: list[tuple[int, int | None, type[PlatformError], type[PlatformError]]] = [
    (24, None, Rejected, Rejected),
    (24, 4279009, Transient, Transient),
    (10, 4279013, Rejected, Rejected),
    (4, 2207051, Rejected, OutcomeUnknown),
    (9004, None, Transient, Transient),
    (9004, 2207052, Transient, Transient),
    (100, 2207052, Transient, Transient),
]
"""Code, subcode, what it means while staging, and at the visible call."""

SHARED_ROWS: list[tuple[int, int | None, type[PlatformError], type[PlatformError]]] = [
    (1, None, Transient, OutcomeUnknown),
    (2, None, Transient, OutcomeUnknown),
    (3, None, Misconfigured, Misconfigured),
    (4, None, RateLimited, RateLimited),
    (17, None, RateLimited, RateLimited),
    (613, None, RateLimited, RateLimited),
    (10, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (200, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (299, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (102, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (190, None, ReauthorisationNeeded, ReauthorisationNeeded),
    (190, 463, ReauthorisationNeeded, ReauthorisationNeeded),
    (100, None, Rejected, Rejected),
    (100, 33, Rejected, Rejected),
    (368, None, Rejected, Rejected),
    (506, None, Rejected, OutcomeUnknown),
    (987654, None, Rejected, Rejected),
]


def test_every_row_of_our_own_is_tried():
    own = set(THREADS_ERRORS) - set(ERRORS)
    tried = {(code, subcode) for code, subcode, *_ in OWN_ROWS} | {(None, subcode) for _, subcode, *_ in OWN_ROWS}
    assert own <= tried


@pytest.mark.parametrize(("code", "subcode", "unseen", "visible"), OWN_ROWS + SHARED_ROWS)
def test_every_code_has_its_kind(
    code: int, subcode: int | None, unseen: type[PlatformError], visible: type[PlatformError]
):
    told = {"code": code} | ({"error_subcode": subcode} if subcode else {})
    for expected, shows in ((unseen, False), (visible, True)):
        error = threads_error(answered(told), now=NOW, visible=shows)
        assert type(error) is expected
        assert error.code == (f"{code}.{subcode}" if subcode else str(code))
        assert "hunter2" not in str(error)
        assert "ABCtrace" in str(error)
        assert error.advice if isinstance(error, Rejected) else True


@pytest.mark.parametrize(
    ("status", "unseen", "visible"),
    [
        (400, Rejected, Rejected),
        (401, ReauthorisationNeeded, ReauthorisationNeeded),
        (429, RateLimited, RateLimited),
        (500, Transient, OutcomeUnknown),
        (503, Transient, OutcomeUnknown),
        (200, Transient, OutcomeUnknown),
    ],
)
def test_without_a_code_the_status_decides(status: int, unseen: type[PlatformError], visible: type[PlatformError]):
    for expected, shows in ((unseen, False), (visible, True)):
        error = threads_error(Answer(status, httpx.Headers(), b"<html>"), now=NOW, visible=shows)
        assert type(error) is expected


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("place", ["message", "error_user_title", "error_user_msg"])
def test_every_word_is_a_refusal_wherever_it_is_told(word: str, place: str):
    error = threads_error(answered({"code": 100, place: f"Param text {word}"}), now=NOW, visible=True)
    assert isinstance(error, Rejected)
    assert (error.detail, error.advice) == (WORDS[word].detail, WORDS[word].advice)
    assert error.code == (word if word.isupper() else "100")


REPEATED = {"FAILED_DOWNLOADING_VIDEO", "UNKNOWN"}


@pytest.mark.parametrize("word", [*MEDIA_WORDS, "SOMETHING_NEW", None])
def test_every_word_of_a_container_has_its_kind(word: str | None):
    error = media_error(word)
    repeated = word in REPEATED or word not in MEDIA_WORDS
    assert type(error) is (Transient if repeated else Rejected)
    assert error.code == (word or "unknown")
    if isinstance(error, Rejected):
        assert error.advice


async def test_a_container_that_fails_is_told_and_made_anew(
    threads: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, imitated: ThreadsSandbox
) -> None:
    for word, expected in (("INVALID_ASPEC_RATIO", Rejected), ("UNKNOWN", Transient)):
        imitated.plan_outcome({"error_message": word})
        with pytest.raises(expected, match=word):
            await threads.stage(call, delivery, journal)
        assert journal.facts["containers"] == {}
    await threads.stage(call, delivery, journal)


async def test_a_file_that_cannot_be_fetched_is_tried_again(
    threads: Platform, call: Call, make_delivery: Any, image: Any, video: Any, shelf: Any, journal: MemoryJournal,
    bring: Any, post: Any, sandbox: Sandbox,
) -> None:  # fmt: skip
    delivery = make_delivery("Doors", media=(image(), video()))
    files = dict(shelf.files)
    shelf.files.clear()
    with pytest.raises(Transient, match=r"9004\.2207052") as caught:
        await threads.stage(call, delivery, journal)
    assert "http" not in str(caught.value)
    shelf.files["/media/0"] = files["/media/0"]
    with pytest.raises(Transient, match="FAILED_DOWNLOADING_VIDEO"):
        await bring(delivery, journal)
    shelf.files |= files
    await post(delivery, journal)
    assert len(sandbox.truth.posts()) == 1


def test_a_limit_that_names_its_end_is_waited_for():
    usage = json.dumps({"1": [{"type": "threads", "call_count": 100, "estimated_time_to_regain_access": 7}]})
    error = threads_error(answered({"code": 4}, {"X-Business-Use-Case-Usage": usage}), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(minutes=7)


@pytest.mark.parametrize("code", ["no_answer", "http_500", "1", "24.4279009", ""])
def test_only_a_doubtful_refusal_can_be_proven_one(code: str):
    assert proven_refusal(code) is None


@pytest.mark.parametrize("code", ["4.2207051", "506"])
def test_a_proven_refusal_tells_what_to_do(code: str):
    refused = proven_refusal(code)
    assert refused is not None
    assert (refused.code, refused.repeatable) == (code, False)
    assert refused.advice
