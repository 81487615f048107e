"""What a post takes of its platform's rates, and whom a refusal holds back: as the documentation has it, all nine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from platforms.bluesky.errors import xrpc_error
from platforms.errors import PlatformError, RateLimited
from platforms.limits import Per
from platforms.linkedin.errors import api_error as linkedin_error
from platforms.meta.errors import ERRORS, graph_error
from platforms.pinterest.errors import api_error as pinterest_error
from platforms.registry import register
from platforms.shape import Media, MediaKind, PlatformName
from platforms.tiktok.errors import api_error as tiktok_error
from platforms.wire import Answer
from platforms.x.errors import api_error as x_error
from platforms.youtube.errors import api_error as youtube_error

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLATFORMS = register().platforms
IMAGE = Media(MediaKind.IMAGE, "image/jpeg", 1_000_000, "ab", 1080, 1080, None, "")
VIDEO = Media(MediaKind.VIDEO, "video/mp4", 9_000_000, "cd", 1080, 1920, 10.0, "")
THREAD = {"thread": [{"text": "b"}, {"text": "c"}], "first_comment": "d"}
GATES = {"replies": ["nobody"], "no_quotes": True}


def taken(name: PlatformName, step: str, media: tuple[Media, ...], settings: Mapping[str, Any]) -> dict[str, int]:
    """By the name of the rate, what a step of one post takes."""
    found = {}
    for rate in PLATFORMS[name].limits.rates:
        cost = getattr(rate.spending, step) if rate.spending else None
        if rate.spending and cost and cost(media, settings):
            found[rate.spending.name] = cost(media, settings)
    return found


@pytest.mark.parametrize("name", PlatformName)
def test_what_is_spent_has_a_name_of_its_own_and_a_window_that_can_be_counted(name: PlatformName):
    spent = [rate for rate in PLATFORMS[name].limits.rates if rate.spending]
    assert len({rate.spending.name for rate in spent if rate.spending}) == len(spent)
    for rate in spent:
        assert rate.spending
        assert rate.spending.staging or rate.spending.publishing
        assert rate.per in (Per.ACCOUNT, Per.APPLICATION)
        assert not rate.spending.zone or rate.window.days == 1


@pytest.mark.parametrize(
    ("name", "media", "settings", "staging", "publishing"),
    [
        (PlatformName.TIKTOK, (VIDEO,), {}, {"starts": 1}, {"posts": 1}),
        (PlatformName.TIKTOK, (IMAGE, IMAGE), {}, {}, {"starts": 1, "posts": 1}),
        (PlatformName.INSTAGRAM, (IMAGE,), {}, {"containers": 1}, {"posts": 1}),
        (PlatformName.INSTAGRAM, (IMAGE,) * 3, {}, {"containers": 4}, {"posts": 1}),
        (PlatformName.FACEBOOK, (VIDEO,), {"kind": "reel"}, {}, {"reels": 1}),
        (PlatformName.FACEBOOK, (), {}, {}, {}),
        (PlatformName.THREADS, (), THREAD, {}, {"posts": 1, "replies": 3}),
        (PlatformName.X, (), THREAD, {}, {"posts": 4, "posts_of_all": 4}),
        (PlatformName.X, (VIDEO,), {}, {"steps": 5, "steps_of_all": 5}, {"posts": 1, "posts_of_all": 1}),
        (PlatformName.LINKEDIN, (IMAGE,), {}, {}, {"posts": 1, "posts_of_all": 1}),
        (PlatformName.YOUTUBE, (VIDEO,), {}, {"uploads": 1}, {"units": 51}),
        (PlatformName.YOUTUBE, (VIDEO, IMAGE), {"first_comment": "x"}, {"uploads": 1}, {"units": 153}),
        (PlatformName.BLUESKY, (), THREAD, {}, {"points_of_hour": 12, "points_of_day": 12}),
        (PlatformName.BLUESKY, (), GATES, {}, {"points_of_hour": 9, "points_of_day": 9}),
        (PlatformName.PINTEREST, (IMAGE,), {}, {}, {}),
    ],
)  # fmt: skip
def test_a_post_takes_what_the_documentation_counts(
    name: PlatformName,
    media: tuple[Media, ...],
    settings: Mapping[str, Any],
    staging: dict[str, int],
    publishing: dict[str, int],
):
    assert taken(name, "staging", media, settings) == staging
    assert taken(name, "publishing", media, settings) == publishing


def answer(status: int, document: Any, **headers: str) -> Answer:
    return Answer(status, httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}),
                  json.dumps(document).encode())  # fmt: skip


def graph(code: int) -> PlatformError:
    return graph_error(answer(400, {"error": {"code": code}}), ERRORS, now=NOW)


def linkedin(whose: str) -> PlatformError:
    said = f"Resource level throttle {whose} DAY limit for calls to this resource is reached."
    return linkedin_error(answer(429, {"code": "TOO_MANY_REQUESTS", "message": said}), now=NOW)


def youtube(reason: str) -> PlatformError:
    return youtube_error(answer(403, {"error": {"errors": [{"reason": reason}]}}), now=NOW)


def tiktok(code: str) -> PlatformError:
    return tiktok_error(429, code, log_id=None, now=NOW)


X_PROBLEM = "https://api.x.com/2/problems/"


@pytest.mark.parametrize(
    ("error", "per"),
    [
        (tiktok("rate_limit_exceeded"), Per.ACCOUNT),
        (tiktok("spam_risk_too_many_posts"), Per.ACCOUNT),
        (tiktok("reached_active_user_cap"), Per.ACCOUNT),
        *((graph(code), Per.APPLICATION) for code in (4, 341)),
        *((graph(code), Per.ACCOUNT) for code in (17, 32, 613, 80001, 80002)),
        (x_error(answer(429, {"status": 429}), now=NOW), Per.ACCOUNT),
        (x_error(answer(429, {"status": 429}, x_app_limit_24hour_remaining="0"), now=NOW), Per.APPLICATION),
        (x_error(answer(429, {"status": 429}, x_user_limit_24hour_remaining="0"), now=NOW), Per.ACCOUNT),
        (x_error(answer(429, {"type": X_PROBLEM + "usage-capped"}), now=NOW), Per.APPLICATION),
        (x_error(answer(402, {"type": X_PROBLEM + "credits"}), now=NOW), Per.APPLICATION),
        (linkedin("APPLICATION"), Per.APPLICATION),
        (linkedin("MEMBER"), Per.ACCOUNT),
        *((youtube(reason), Per.APPLICATION) for reason in ("quotaExceeded", "dailyLimitExceeded")),
        (youtube("rateLimitExceeded"), Per.APPLICATION),
        *((youtube(reason), Per.ACCOUNT) for reason in ("userRateLimitExceeded", "uploadLimitExceeded")),
        (xrpc_error(answer(429, {"error": "RateLimitExceeded"}), now=NOW), Per.ACCOUNT),
        (xrpc_error(answer(400, {"error": "TooManyOpenUploads"}), now=NOW), None),
        (pinterest_error(answer(429, {"code": 8}), now=NOW), Per.ACCOUNT),
    ],
)  # fmt: skip
def test_a_refusal_says_whom_it_holds_back(error: PlatformError, per: Per | None):
    assert isinstance(error, RateLimited)
    assert error.per is per
