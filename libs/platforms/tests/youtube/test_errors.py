"""YouTube's errors: every word of its catalogue is one of the six kinds, and no message holds a secret."""

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
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from platforms.wire import Answer
from platforms.youtube.errors import OAUTH_ERRORS, REASONS, api_error, callback_error, next_midnight, oauth_error
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
IN_A_MINUTE, AT_MIDNIGHT, IN_A_DAY = timedelta(minutes=1), timedelta(hours=22), timedelta(days=1)

REASON_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (400, "processingFailure", Transient),
    (400, "invalidTitle", Rejected),
    (400, "invalidDescription", Rejected),
    (400, "invalidTags", Rejected),
    (400, "invalidCategoryId", Rejected),
    (400, "invalidPublishAt", Rejected),
    (400, "invalidVideoMetadata", Rejected),
    (400, "invalidFilename", Rejected),
    (400, "invalidRecordingDetails", Rejected),
    (400, "invalidVideoGameRating", Rejected),
    (400, "mediaBodyRequired", Rejected),
    (400, "defaultLanguageNotSet", Rejected),
    (400, "failedPrecondition", Rejected),
    (400, "badRequest", Rejected),
    (400, "invalidValue", Rejected),
    (400, "invalidImage", Rejected),
    (400, "imageFormatUnsupported", Rejected),
    (400, "imageTooTall", Rejected),
    (400, "imageTooWide", Rejected),
    (400, "commentTextTooLong", Rejected),
    (400, "commentTextRequired", Rejected),
    (401, "authError", ReauthorisationNeeded),
    (401, "youtubeSignupRequired", Rejected),
    (403, "insufficientPermissions", ReauthorisationNeeded),
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", ReauthorisationNeeded),
    (403, "forbidden", Rejected),
    (403, "accountDelegationForbidden", Rejected),
    (403, "authenticatedUserAccountClosed", Rejected),
    (403, "authenticatedUserAccountSuspended", Rejected),
    (403, "channelClosed", Rejected),
    (403, "channelSuspended", Rejected),
    (403, "ineligibleAccount", Rejected),
    (403, "accessNotConfigured", Misconfigured),
    (403, "forbiddenLicenseSetting", Rejected),
    (403, "forbiddenPrivacySetting", Rejected),
    (403, "commentsDisabled", Rejected),
    (403, "playlistItemsNotAccessible", Rejected),
    (403, "playlistContainsMaximumNumberOfVideos", Rejected),
    (404, "videoNotFound", Rejected),
    (404, "playlistNotFound", Rejected),
    (403, "neverHeardOf", Rejected),
]

WAITING_ROWS = [
    (403, "rateLimitExceeded", IN_A_MINUTE),
    (429, "rateLimitExceeded", IN_A_MINUTE),
    (403, "userRateLimitExceeded", IN_A_MINUTE),
    (429, "neverHeardOf", IN_A_MINUTE),
    (403, "quotaExceeded", AT_MIDNIGHT),
    (403, "dailyLimitExceeded", AT_MIDNIGHT),
    (400, "uploadLimitExceeded", IN_A_DAY),
    (429, "uploadRateLimitExceeded", IN_A_DAY),
]

STATUS_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (429, "RESOURCE_EXHAUSTED", RateLimited),
    (401, "UNAUTHENTICATED", ReauthorisationNeeded),
    (503, "SERVICE_UNAVAILABLE", Transient),
    (503, "UNAVAILABLE", Transient),
    (500, "INTERNAL", Transient),
    (500, "backendError", Transient),
    (500, "internalError", Transient),
]

OAUTH_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (400, "invalid_grant", ReauthorisationNeeded),
    (403, "access_denied", ReauthorisationNeeded),
    (400, "admin_policy_enforced", ReauthorisationNeeded),
    (400, "invalid_token", ReauthorisationNeeded),
    (401, "invalid_client", Misconfigured),
    (401, "unauthorized_client", Misconfigured),
    (400, "redirect_uri_mismatch", Misconfigured),
    (400, "invalid_request", Misconfigured),
    (400, "invalid_scope", Misconfigured),
    (400, "unsupported_grant_type", Misconfigured),
    (400, "temporarily_unavailable", Transient),
    (400, "server_error", Transient),
    (400, "internal_failure", Transient),
    (500, "invalid_grant", Transient),
    (429, "never_heard_of", RateLimited),
]


def answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(
        status, httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}), encoded(body)
    )


def encoded(body: Any) -> bytes:
    return msgspec.json.encode(body)


def refused(status: int, reason: str) -> Answer:
    errors = [{"message": "token hunter2", "domain": "youtube.video", "reason": reason}]
    return answer(status, {"error": {"code": status, "message": "token hunter2", "errors": errors}})


@pytest.mark.parametrize(("status", "reason", "expected"), REASON_ROWS)
def test_every_reason_has_its_kind(status: int, reason: str, expected: type[PlatformError]) -> None:
    error = api_error(refused(status, reason), now=NOW)
    assert type(error) is expected
    assert error.code == reason
    assert "hunter2" not in str(error)
    if isinstance(error, Rejected):
        assert error.advice


@pytest.mark.parametrize(("status", "reason", "wait"), WAITING_ROWS)
def test_every_limit_says_when_it_ends(status: int, reason: str, wait: timedelta) -> None:
    error = api_error(refused(status, reason), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + wait


@pytest.mark.parametrize(("status", "word", "expected"), STATUS_ROWS)
def test_without_a_reason_the_status_word_decides(status: int, word: str, expected: type[PlatformError]) -> None:
    error = api_error(answer(status, {"error": {"code": status, "status": word}}), now=NOW)
    assert type(error) is expected
    assert error.code == word


def test_the_reason_is_believed_before_the_status_word() -> None:
    body = {"error": {"status": "PERMISSION_DENIED", "errors": [{"reason": "quotaExceeded"}]}}
    assert isinstance(api_error(answer(403, body), now=NOW), RateLimited)


def test_a_scope_that_is_missing_is_told_in_the_details() -> None:
    body = {"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}
    assert isinstance(api_error(answer(403, body), now=NOW), ReauthorisationNeeded)


def test_the_table_and_its_tests_have_the_same_words() -> None:
    tested = {word for _, word, _ in [*REASON_ROWS, *WAITING_ROWS, *STATUS_ROWS]}
    assert tested - {"neverHeardOf"} == set(REASONS)
    assert {word for _, word, _ in OAUTH_ROWS} - {"never_heard_of"} == set(OAUTH_ERRORS)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "text"}', b'{"error": {"errors": [1, {}]}}'])
def test_an_error_page_of_any_form_is_judged_by_its_status(body: bytes) -> None:
    kinds = {401: ReauthorisationNeeded, 403: Rejected, 404: Rejected, 408: Transient, 429: RateLimited, 302: Transient}
    for status, expected in kinds.items():
        assert type(api_error(Answer(status, httpx.Headers(), body), now=NOW)) is expected


@pytest.mark.parametrize("reason", ["backendError", "neverHeardOf", "quotaExceeded"])
def test_a_server_error_on_the_visible_step_leaves_it_open(reason: str) -> None:
    assert isinstance(api_error(refused(503, reason), now=NOW, visible=True), OutcomeUnknown)
    assert isinstance(api_error(refused(503, reason), now=NOW), Transient)


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), ("0", 1), ("999999", 86400), ("soon", 60), ("-5", 60)])
def test_retry_after_is_obeyed_within_bounds(told: str, seconds: int) -> None:
    error = api_error(answer(429, {}, retry_after=told), now=NOW)
    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2026, 11, 22, 10, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (datetime(2026, 11, 22, 7, 59, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 7, 2, 7, tzinfo=UTC)),
        (datetime(2026, 3, 8, 9, tzinfo=UTC), datetime(2026, 3, 9, 7, tzinfo=UTC)),
        (datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)),
    ],
)
def test_a_quota_begins_anew_at_midnight_of_the_pacific_zone(now: datetime, midnight: datetime) -> None:
    assert next_midnight(now) == midnight


@pytest.mark.parametrize(("status", "word", "expected"), OAUTH_ROWS)
def test_every_error_of_the_authorisation_has_its_kind(status: int, word: str, expected: type[PlatformError]) -> None:
    error = oauth_error(answer(status, {"error": word, "error_description": "hunter2"}), now=NOW)
    assert type(error) is expected
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("access_denied", ReauthorisationNeeded), ("server_error", Transient), ("invalid_scope", Misconfigured)],
)
def test_a_refusal_that_comes_back_with_the_person(word: str, expected: type[PlatformError]) -> None:
    assert type(callback_error(word)) is expected
    assert callback_error("<script>").code == "unknown"


async def test_the_day_of_the_application_ends_with_its_uploads(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.tuning.daily_posts_max = 0
    with pytest.raises(RateLimited, match="uploadLimitExceeded"):
        await youtube.stage(call, delivery, journal)
    for _ in range(99):
        with pytest.raises(RateLimited, match="uploadLimitExceeded"):
            await youtube.stage(call, delivery, journal)
    with pytest.raises(RateLimited, match="quotaExceeded") as caught:
        await youtube.stage(call, delivery, journal)
    assert caught.value.until == call.clock.now() + AT_MIDNIGHT
