"""Published posts are listed, and taken off again wherever a platform lets a program do so, whatever is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import PlatformError, RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.platform import Platform
from platforms.removal import NO_CALL, PERMISSION_MISSING, parts_of
from platforms.shape import (
    Call,
    ClientCredentials,
    Delivery,
    Grant,
    Media,
    MediaKind,
    NotThere,
    PlatformName,
    Processing,
    Published,
    Receipt,
    Removed,
)
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.connecting import walk_through

Answer = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Known:
    """How a platform is asked to remove a post, and how it refuses. `gone`: there is none, where it says so."""

    route: str
    limited: Answer
    dead: Answer
    refused: Answer
    gone: Answer | None = None
    media: MediaKind | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def graph(code: int, **members: int) -> Mapping[str, Any]:
    return {"error": {"message": "Why", "type": "OAuthException", "code": code, **members}}


META = Known(
    "DELETE /v*",
    limited=(400, graph(613)),
    dead=(401, graph(190)),
    refused=(400, graph(368)),
    gone=(400, graph(100, error_subcode=33)),
)
KNOWN = {
    PlatformName.X: Known(
        "DELETE /2/tweets/*",
        limited=(429, {"title": "Too Many Requests"}),
        dead=(401, {"title": "Unauthorized"}),
        refused=(403, {"title": "Forbidden", "detail": "You are not permitted to perform this action."}),
        gone=(404, {"title": "Not Found", "type": "https://api.x.com/2/problems/resource-not-found"}),
    ),
    PlatformName.BLUESKY: Known(
        "POST /xrpc/com.atproto.repo.deleteRecord",
        limited=(429, {"error": "RateLimitExceeded"}),
        dead=(401, {"error": "invalid_token"}),
        refused=(401, {"error": "AccountTakedown"}),
    ),
    PlatformName.LINKEDIN: Known(
        "DELETE /rest/posts/*",
        limited=(429, {"code": "TOO_MANY_REQUESTS"}),
        dead=(401, {"code": "REVOKED_ACCESS_TOKEN"}),
        refused=(400, {"code": "ILLEGAL_ARGUMENT"}),
        gone=(404, {"code": "NOT_FOUND"}),
    ),
    PlatformName.YOUTUBE: Known(
        "DELETE /youtube/v3/videos",
        limited=(403, {"error": {"errors": [{"reason": "quotaExceeded"}]}}),
        dead=(401, {"error": {"errors": [{"reason": "authError"}]}}),
        refused=(403, {"error": {"errors": [{"reason": "forbidden"}]}}),
        gone=(404, {"error": {"errors": [{"reason": "videoNotFound"}]}}),
        media=MediaKind.VIDEO,
        settings={"title": "A red door", "visibility": "public", "made_for_kids": False},
    ),
    PlatformName.PINTEREST: Known(
        "DELETE /v5/pins/*",
        limited=(429, {"code": 8, "message": "You have exceeded your rate limit."}),
        dead=(401, {"code": 2, "message": "Authentication failed."}),
        refused=(400, {"code": 1, "message": "Invalid request."}),
        gone=(404, {"code": 50, "message": "Pin not found."}),
        media=MediaKind.IMAGE,
        settings={"board_id": number_of("board", "brand_one"), "title": "A red door"},
    ),
    PlatformName.FACEBOOK: META,
    PlatformName.THREADS: META,
}
BY_HAND = set(PlatformName) - set(KNOWN)


@dataclass
class Place:
    """One published post at one platform."""

    name: PlatformName
    known: Known
    platform: Platform
    call: Call
    sandbox: Sandbox
    receipt: Receipt

    async def remove(self) -> Removed | NotThere:
        return await self.platform.remove(self.call, self.receipt)

    @property
    def left(self) -> int:
        return len(self.sandbox.truth.posts(self.name))

    @property
    def published_at(self) -> datetime:
        (post,) = self.sandbox.truth.posts(self.name)
        return post.posted_at

    def fault(self, kind: str, answer: Answer = (0, {}), **more: Any) -> None:
        self.sandbox.add_fault(self.name, self.known.route, kind, status=answer[0], body=dict(answer[1]), **more)


@pytest.fixture(params=list(KNOWN))
def name(request: pytest.FixtureRequest) -> PlatformName:
    chosen: PlatformName = request.param
    return chosen


@pytest.fixture
async def sandbox(clock: FixedClock, name: PlatformName) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only=(name,)) as running:
        yield running


@pytest.fixture
async def place(
    name: PlatformName,
    platforms: Mapping[PlatformName, Platform],
    sandbox: Sandbox,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    bluesky_client: ClientCredentials,
    clock: FixedClock,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
) -> Place:
    known, platform, journal = KNOWN[name], platforms[name], MemoryJournal()
    credentials, handle = (bluesky_client, "brand.test") if name is PlatformName.BLUESKY else (client, None)
    call = await walk_through(platform, http, credentials, clock, handle=handle)
    media = (make_media(known.media, 40_000),) if known.media else ()
    delivery = make_delivery("Fresh paint", media=media, settings=known.settings)
    for _ in range(5):
        try:
            await platform.stage(call, delivery, journal)
            break
        except RateLimited as waiting:
            clock.advance(waiting.until - clock.now())
    outcome = await platform.publish(call, delivery, journal)
    while isinstance(outcome, Processing):
        clock.advance(timedelta(seconds=outcome.ask_again_seconds))
        outcome = await platform.status(call, delivery, journal)
    assert isinstance(outcome, Published)
    return Place(name, known, platform, call, sandbox, outcome.receipt)


async def test_a_post_is_listed_with_its_time_and_words(place: Place, clock: FixedClock) -> None:
    listed = await place.platform.own_posts(place.call, since=clock.now() - timedelta(hours=1))
    if place.name is PlatformName.LINKEDIN:
        assert (listed.posts, listed.complete) == ((), False)
        assert "member" in listed.left_out
        return
    (shown,) = listed.posts
    assert (shown.post_id, shown.text, listed.complete) == (place.receipt.post_id, "Fresh paint", True)
    assert abs(shown.posted_at - place.published_at) < timedelta(minutes=2)
    later = await place.platform.own_posts(place.call, since=place.published_at + timedelta(hours=1))
    assert later.posts == ()
    await place.remove()
    assert (await place.platform.own_posts(place.call, since=clock.now() - timedelta(hours=1))).posts == ()


async def test_a_post_is_gone_afterwards(place: Place) -> None:
    assert place.left == 1
    assert isinstance(await place.remove(), Removed)
    assert place.left == 0


async def test_what_is_gone_already_counts_as_removed(place: Place) -> None:
    await place.remove()
    if place.name is PlatformName.LINKEDIN:
        assert isinstance(await place.remove(), Removed)
    else:
        assert isinstance(await place.remove(), NotThere)
    if place.known.gone:
        place.fault("answer", place.known.gone)
        assert isinstance(await place.remove(), NotThere)


@pytest.mark.parametrize(("kind", "left"), [("reset_before", 1), ("reset_after", 0), ("answer_after", 0)])
async def test_a_lost_answer_is_settled_by_asking_once_more(place: Place, kind: str, left: int) -> None:
    place.fault(kind, (503, {}))
    with pytest.raises(Transient):
        await place.remove()
    assert place.left == left
    await place.remove()
    assert place.left == 0


@pytest.mark.parametrize(
    ("kind", "expected"), [("limited", RateLimited), ("dead", ReauthorisationNeeded), ("refused", Rejected)]
)
async def test_a_refusal_is_one_of_the_six_kinds(place: Place, kind: str, expected: type[PlatformError]) -> None:
    place.fault("answer", getattr(place.known, kind))
    with pytest.raises(expected) as caught:
        await place.remove()
    assert place.call.grant.access_token.reveal() not in str(caught.value)
    assert place.left == 1


async def test_a_grant_without_the_permission_is_told_from_a_dead_one(place: Place) -> None:
    needed = place.platform.removal.also_needs
    scopes = tuple(scope for scope in place.call.grant.scopes if scope not in needed)
    place.call = replace(place.call, grant=replace(place.call.grant, scopes=scopes))
    if not needed:
        assert isinstance(await place.remove(), Removed)
        return
    with pytest.raises(Rejected) as caught:
        await place.remove()
    assert (caught.value.code, place.left) == (PERMISSION_MISSING, 1)
    assert place.platform.removal.url in caught.value.advice


@pytest.mark.parametrize("name", [PlatformName.FACEBOOK, PlatformName.THREADS])
async def test_what_meta_refuses_although_it_is_there_is_no_removal(place: Place) -> None:
    assert place.known.gone is not None
    place.fault("answer", place.known.gone)
    with pytest.raises(Rejected, match="may not be deleted"):
        await place.remove()
    assert place.left == 1


@pytest.mark.parametrize("name", [PlatformName.FACEBOOK, PlatformName.THREADS])
async def test_a_missing_permission_says_nothing_against_the_grant(place: Place) -> None:
    place.fault("answer", (403, graph(10)))
    with pytest.raises(Rejected) as caught:
        await place.remove()
    assert (caught.value.code, place.left) == (PERMISSION_MISSING, 1)


@pytest.mark.parametrize("name", sorted(BY_HAND))
async def test_where_only_a_person_can_remove_it_the_place_is_named(
    platforms: Mapping[PlatformName, Platform], http: httpx.AsyncClient, clock: FixedClock, name: PlatformName
) -> None:
    platform = platforms[name]
    grant = Grant("someone", Secret("token"), None, (), clock.now(), None)
    with pytest.raises(Rejected) as caught:
        await platform.remove(Call(http, clock, grant), Receipt("1", None, {}))
    assert (caught.value.code, platform.removal.offered) == (NO_CALL, False)
    assert caught.value.advice == platform.removal.advice


def test_a_receipt_names_the_parts_of_a_thread_the_last_first() -> None:
    posts = {str(index): f"id-{index}" for index in range(11)} | {"11": None}
    parts = parts_of(Receipt("id-0", None, {"posts": posts}))
    assert parts == [None, *(f"id-{index}" for index in range(10, -1, -1))]
    assert parts_of(Receipt("id-0", None, {"posts": {}})) == ["id-0"]
