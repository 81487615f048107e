"""TikTok's errors: every word of its catalogue is one of the six kinds, and no message holds a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from kit.testing import wait_for
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
from platforms.shape import Call, Delivery, Processing, Refused
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

UPLOAD = "PUT /video/"
CREATOR = "POST /v2/post/publish/creator_info/query/"

FAIL_ROWS = [
    ("file_format_check_failed", False),
    ("duration_check_failed", False),
    ("frame_rate_check_failed", False),
    ("picture_size_check_failed", False),
    ("internal", True),
    ("video_pull_failed", True),
    ("photo_pull_failed", True),
    ("publish_cancelled", False),
    ("auth_removed", True),
    ("spam_risk_too_many_posts", True),
    ("spam_risk_user_banned_from_posting", False),
    ("spam_risk_text", False),
    ("spam_risk", False),
    ("something_new", False),
]


@pytest.mark.parametrize(("reason", "repeatable"), FAIL_ROWS)
async def test_every_reason_of_failure(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    reason: str,
    repeatable: bool,
) -> None:
    sandbox.tiktok.plan_outcome({"fail_reason": reason})
    await tiktok.stage(tiktok_call, delivery, journal)
    await tiktok.publish(tiktok_call, delivery, journal)
    clock.advance(timedelta(seconds=1))
    outcome = await tiktok.status(tiktok_call, delivery, journal)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.repeatable) == (reason, repeatable)
    assert outcome.advice
    assert sandbox.truth.posts() == []
    if repeatable:
        await tiktok.stage(tiktok_call, delivery, journal)
        assert isinstance(await tiktok.publish(tiktok_call, delivery, journal), Processing)


API_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (429, "rate_limit_exceeded", RateLimited),
    (500, "internal_error", Transient),
    (500, "internal", Transient),
    (503, "", Transient),
    (200, "", Transient),
    (200, "spam_risk_too_many_posts", RateLimited),
    (403, "spam_risk_too_many_pending_share", RateLimited),
    (200, "reached_active_user_cap", RateLimited),
    (401, "access_token_invalid", ReauthorisationNeeded),
    (401, "scope_not_authorized", ReauthorisationNeeded),
    (400, "scope_permission_missed", ReauthorisationNeeded),
    (403, "privacy_level_option_mismatch", Rejected),
    (200, "spam_risk_user_banned_from_posting", Rejected),
    (400, "invalid_param", Rejected),
    (400, "invalid_params", Rejected),
    (400, "invalid_file_upload", Rejected),
    (400, "invalid_publish_id", Rejected),
    (400, "token_not_authorized_for_specified_publish_id", Rejected),
    (400, "app_version_check_failed", Rejected),
    (403, "unaudited_client_can_only_post_to_private_accounts", Misconfigured),
    (403, "url_ownership_unverified", Misconfigured),
    (418, "never_heard_of", Rejected),
]


@pytest.mark.parametrize(("status", "code", "expected"), API_ROWS)
async def test_every_api_error_has_its_kind(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    code: str,
    expected: type[PlatformError],
) -> None:
    body = {"data": {}, "error": {"code": code, "message": "token hunter2", "log_id": "20261122XYZ"}}
    sandbox.add_fault("tiktok", CREATOR, "answer", status=status, body=body)
    with pytest.raises(expected) as caught:
        await tiktok.stage(tiktok_call, delivery, journal)
    assert "hunter2" not in str(caught.value)
    assert "20261122XYZ" in str(caught.value)
    if isinstance(caught.value, Rejected):
        assert caught.value.advice
    if isinstance(caught.value, RateLimited):
        assert caught.value.until > tiktok_call.clock.now()


PHOTOS = "POST /v2/post/publish/content/init/"
VISIBLE_ROWS: list[tuple[int, str, type[PlatformError]]] = [
    (429, "rate_limit_exceeded", RateLimited),
    (403, "spam_risk_too_many_posts", RateLimited),
    (401, "access_token_invalid", ReauthorisationNeeded),
    (403, "privacy_level_option_mismatch", Rejected),
    (400, "app_version_check_failed", Rejected),
    (403, "url_ownership_unverified", Misconfigured),
    (500, "internal_error", OutcomeUnknown),
    (503, "rate_limit_exceeded", OutcomeUnknown),
    (200, "", OutcomeUnknown),
    (200, "ok", OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "code", "expected"), VISIBLE_ROWS)
async def test_a_refused_start_of_photos_may_be_tried_again_and_a_broken_one_is_open(
    tiktok: Platform,
    tiktok_call: Call,
    photos: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    code: str,
    expected: type[PlatformError],
) -> None:
    wish = photos(1)
    await tiktok.stage(tiktok_call, wish, journal)
    body = {"data": {}, "error": {"code": code, "message": "token hunter2", "log_id": "20261122XYZ"}}
    sandbox.add_fault("tiktok", PHOTOS, "answer", status=status, body=body)
    with pytest.raises(expected) as caught:
        await tiktok.publish(tiktok_call, wish, journal)
    assert "hunter2" not in str(caught.value)
    assert (journal.facts["tried_at"] is not None) == isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(("reason", "repeatable"), [("picture_size_check_failed", False), ("photo_pull_failed", True)])
async def test_photos_fail_for_reasons_of_the_same_table(
    tiktok: Platform,
    tiktok_call: Call,
    photos: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    reason: str,
    repeatable: bool,
) -> None:
    wish = photos(1)
    sandbox.tiktok.plan_outcome({"fail_reason": reason})
    await tiktok.stage(tiktok_call, wish, journal)
    await tiktok.publish(tiktok_call, wish, journal)
    await wait_for(lambda: not sandbox.tiktok.state.fetching)
    clock.advance(timedelta(seconds=1))
    outcome = await tiktok.status(tiktok_call, wish, journal)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.repeatable) == (reason, repeatable)


UPLOAD_ROWS: list[tuple[int, type[PlatformError]]] = [
    (400, Rejected),
    (403, Transient),
    (404, Transient),
    (500, OutcomeUnknown),
    (200, OutcomeUnknown),
    (206, OutcomeUnknown),
    (429, Transient),
    (307, Misconfigured),
]


@pytest.mark.parametrize(("status", "expected"), UPLOAD_ROWS)
async def test_every_answer_of_the_upload(
    tiktok: Platform,
    tiktok_call: Call,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    status: int,
    expected: type[PlatformError],
) -> None:
    await tiktok.stage(tiktok_call, delivery, journal)
    sandbox.add_fault("tiktok", UPLOAD, "answer", status=status)
    with pytest.raises(expected) as caught:
        await tiktok.publish(tiktok_call, delivery, journal)
    assert "upload_token" not in str(caught.value)
