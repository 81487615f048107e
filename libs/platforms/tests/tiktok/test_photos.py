"""Photos on their way to TikTok: fetched by it, posted once, found again where TikTok tells anything at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from kit.testing import wait_for
from platforms.errors import Misconfigured, OutcomeUnknown, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Outcome, Processing, Published, Refused, Undecided
from sandbox.server import Sandbox
from sandbox.testing import MediaServer, MemoryJournal

INIT = "POST /v2/post/publish/content/init/"
STATUS = "POST /v2/post/publish/status/fetch/"
Photos = Callable[..., Delivery]
Settled = Callable[[], Awaitable[None]]


@pytest.fixture
def settled(sandbox: Sandbox, clock: FixedClock) -> Settled:
    """Wait until TikTok has fetched what it was told of, then let it process and moderate."""

    async def go() -> None:
        await wait_for(lambda: not sandbox.tiktok.state.fetching)
        clock.advance(timedelta(seconds=1))

    return go


@pytest.fixture
def post(tiktok: Platform, tiktok_call: Call, journal: MemoryJournal) -> Callable[[Delivery], Awaitable[Outcome]]:
    async def go(delivery: Delivery) -> Outcome:
        await tiktok.stage(tiktok_call, delivery, journal)
        return await tiktok.publish(tiktok_call, delivery, journal)

    return go


async def test_nothing_is_told_before_the_one_call_that_posts(
    tiktok: Platform, tiktok_call: Call, photos: Photos, journal: MemoryJournal, sandbox: Sandbox, settled: Settled
) -> None:
    chosen = {"title": "Doors", "photo_cover_index": 1, "auto_add_music": True, "is_aigc": True}
    delivery = photos(35, **chosen, brand_organic_toggle=True, disable_comment=False)
    await tiktok.stage(tiktok_call, delivery, journal)
    assert sandbox.requests("tiktok", INIT) == 0
    assert await tiktok.publish(tiktok_call, delivery, journal) == Processing(5.0)
    await settled()
    outcome = await tiktok.status(tiktok_call, delivery, journal)
    (shown,) = sandbox.truth.posts("tiktok", "sandbox-open-id-one")
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == shown.post_id
    assert outcome.receipt.url == f"{sandbox.base_urls['tiktok']}/@brand_one/photo/{shown.post_id}"
    assert "Two doors #door" in (await tiktok_call.http.get(outcome.receipt.url)).text
    assert [file.sha256 for file in shown.media] == [image.sha256 for image in delivery.media]
    expected = chosen | {"privacy_level": "PUBLIC_TO_EVERYONE", "disable_comment": False}
    expected |= {"brand_organic_toggle": True, "brand_content_toggle": False}
    assert (shown.text, shown.settings) == ("Two doors #door", expected)


async def test_what_was_not_chosen_is_off_and_the_first_photo_is_the_cover(
    post: Any, photos: Photos, sandbox: Sandbox, settled: Settled
) -> None:
    await post(photos())
    await settled()
    (shown,) = sandbox.truth.posts()
    off = ("auto_add_music", "brand_content_toggle", "brand_organic_toggle", "is_aigc")
    assert [shown.settings[name] for name in off] == [False] * 4
    assert (shown.settings["photo_cover_index"], shown.settings["disable_comment"]) == (0, True)


async def test_lost_after_the_effect_it_is_found_by_its_words_and_not_repeated(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    earlier, delivery = MemoryJournal(), photos(text="Two doors " * 30)
    await tiktok.stage(tiktok_call, delivery, earlier)
    await tiktok.publish(tiktok_call, delivery, earlier)
    await wait_for(lambda: not sandbox.tiktok.state.fetching)
    clock.advance(timedelta(hours=1))
    sandbox.add_fault("tiktok", INIT, "reset_after")
    with pytest.raises(OutcomeUnknown, match="no_answer"):
        await post(delivery)
    await wait_for(lambda: not sandbox.tiktok.state.fetching)
    with pytest.raises(Transient, match="not_listed_yet"):
        await tiktok.reconcile(tiktok_call, delivery, journal)
    clock.advance(timedelta(seconds=30))
    finding = await tiktok.reconcile(tiktok_call, delivery, journal)
    _, shown = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == shown.post_id
    assert finding.receipt.url == f"{sandbox.base_urls['tiktok']}/@brand_one/photo/{shown.post_id}"
    with pytest.raises(OutcomeUnknown, match="unresolved"):
        await tiktok.publish(tiktok_call, delivery, journal)
    assert sandbox.requests("tiktok", INIT) == 2


@pytest.mark.parametrize(
    ("kind", "settings", "listed"),
    [
        ("reset_before", {}, True),
        ("reset_after", {"privacy_level": "SELF_ONLY"}, True),
        ("reset_after", {}, False),
    ],
)
async def test_what_the_list_does_not_show_is_for_a_person_and_never_repeated(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    settled: Settled,
    kind: Any,
    settings: dict[str, str],
    listed: bool,
) -> None:
    sandbox.tuning.photos_listed = listed
    delivery = photos(**settings)
    sandbox.add_fault("tiktok", INIT, kind)
    with pytest.raises(OutcomeUnknown):
        await post(delivery)
    await settled()
    with pytest.raises(Transient, match="not_listed_yet"):
        await tiktok.reconcile(tiktok_call, delivery, journal)
    clock.advance(timedelta(minutes=5))
    finding = await tiktok.reconcile(tiktok_call, delivery, journal)
    assert isinstance(finding, Undecided)
    assert (finding.evidence["tried_at"], finding.evidence["alike"]) == (journal.facts["tried_at"], [])
    await tiktok.stage(tiktok_call, delivery, journal)
    with pytest.raises(OutcomeUnknown, match="unresolved"):
        await tiktok.publish(tiktok_call, delivery, journal)
    assert len(sandbox.truth.posts()) == (kind == "reset_after")


async def test_two_that_say_the_same_are_for_a_person(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    settled: Settled,
) -> None:
    other = MemoryJournal()
    await tiktok.stage(tiktok_call, photos(), other)
    await tiktok.publish(tiktok_call, photos(), other)
    sandbox.add_fault("tiktok", INIT, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await post(photos())
    await settled()
    finding = await tiktok.reconcile(tiktok_call, photos(), journal)
    assert isinstance(finding, Undecided)
    assert len(finding.evidence["alike"]) == 2


@pytest.mark.promise("P42")
@pytest.mark.parametrize(("kind", "starts"), [("reset_before", 2), ("reset_after", 1)])
async def test_a_persons_word_that_it_is_not_there_starts_it_anew_unless_it_is_listed(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    settled: Settled,
    kind: Any,
    starts: int,
) -> None:
    sandbox.add_fault("tiktok", INIT, kind)
    with pytest.raises(OutcomeUnknown):
        await post(photos())
    await settled()
    told = replace(photos(), forgiven=1)
    if starts == 2:
        await post(told)
    else:
        with pytest.raises(OutcomeUnknown, match="unresolved"):
            await post(told)
    await settled()
    assert isinstance(await tiktok.reconcile(tiktok_call, told, journal), Published)
    assert sandbox.requests("tiktok", INIT) == starts
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.promise("P42")
@pytest.mark.parametrize(("known", "minutes", "starts"), [(False, 0, 2), (True, 59, 1), (True, 61, 2)])
async def test_a_persons_word_stands_against_an_id_that_tells_nothing_for_an_hour(
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    known: bool,
    minutes: int,
    starts: int,
) -> None:
    sandbox.tuning.processing_seconds = 24 * 3600
    await post(photos())
    first = journal.facts["publish_id"]
    if not known:
        sandbox.tiktok.state.photos.clear()
    clock.advance(timedelta(minutes=minutes))
    await post(replace(photos(), forgiven=1))
    assert sandbox.requests("tiktok", INIT) == starts
    assert journal.facts.get("abandoned_publish_ids", []) == [first][: starts - 1]


async def test_a_list_we_may_not_read_leaves_it_to_a_person(
    tiktok: Platform, tiktok_call: Call, post: Any, photos: Photos, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", INIT, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await post(photos())
    narrow = replace(tiktok_call, grant=replace(tiktok_call.grant, scopes=("user.info.basic", "video.publish")))
    assert isinstance(await tiktok.reconcile(narrow, photos(), journal), Undecided)


async def test_a_start_that_was_refused_is_absent_and_repeated_once(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    settled: Settled,
) -> None:
    delivery = photos()
    body = {"data": {}, "error": {"code": "rate_limit_exceeded", "message": "", "log_id": "x"}}
    sandbox.add_fault("tiktok", INIT, "answer", status=429, body=body)
    with pytest.raises(Exception, match="rate_limit_exceeded"):
        await post(delivery)
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Absent)
    await post(delivery)
    await settled()
    assert len(sandbox.truth.posts()) == 1


async def test_with_an_id_every_doubt_is_settled_by_it(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    settled: Settled,
) -> None:
    sandbox.tuning.photos_listed = False
    delivery = photos(privacy_level="SELF_ONLY")
    await post(delivery)
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Processing)
    await settled()
    finding = await tiktok.reconcile(tiktok_call, delivery, journal)
    assert isinstance(finding, Published)
    assert (finding.receipt.post_id, finding.receipt.evidence["downloaded_bytes"]) == (None, 40_001)
    assert isinstance(await post(delivery), Published)
    assert sandbox.requests("tiktok", INIT) == 1
    sandbox.tiktok.state.photos.clear()
    assert isinstance(await tiktok.reconcile(tiktok_call, delivery, journal), Undecided)


async def test_images_that_could_not_be_fetched_are_tried_anew(
    tiktok: Platform,
    tiktok_call: Call,
    post: Any,
    photos: Photos,
    journal: MemoryJournal,
    sandbox: Sandbox,
    shelf: MediaServer,
    settled: Settled,
) -> None:
    delivery = photos()
    taken = shelf.files.pop("/media/1")
    await post(delivery)
    await settled()
    outcome = await tiktok.status(tiktok_call, delivery, journal)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.repeatable) == ("photo_pull_failed", True)
    first, shelf.files["/media/1"] = journal.facts["publish_id"], taken
    await post(delivery)
    await settled()
    assert journal.facts["abandoned_publish_ids"] == [first]
    assert isinstance(await tiktok.status(tiktok_call, delivery, journal), Published)
    assert len(sandbox.truth.posts()) == 1


async def test_an_address_that_is_not_verified_is_for_the_operator_and_nothing_is_posted(
    tiktok: Platform, tiktok_call: Call, post: Any, photos: Photos, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.tiktok.state.clients["sandbox-client-key"].verified_prefixes = ["https://media.example.com/"]
    with pytest.raises(Misconfigured, match="url_ownership_unverified") as caught:
        await post(photos())
    assert "/media/" not in str(caught.value)
    assert journal.facts["tried_at"] is None


async def test_an_installation_without_addresses_is_told_while_staging(
    tiktok: Platform, tiktok_call: Call, photos: Photos, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    class Nowhere:
        async def address(self) -> str:
            raise Misconfigured("no_media_address", "there are none here")

    delivery = photos(1)
    hidden: Any = Nowhere()
    with pytest.raises(Misconfigured, match="no_media_address"):
        await tiktok.stage(tiktok_call, replace(delivery, media=(replace(delivery.media[0], source=hidden),)), journal)


async def test_a_choice_that_is_no_longer_offered_is_never_downgraded(
    tiktok: Platform, tiktok_call: Call, photos: Photos, journal: MemoryJournal, sandbox: Sandbox
) -> None:
    sandbox.tiktok.state.accounts["sandbox-open-id-one"].private = True
    with pytest.raises(Rejected, match="privacy_level_option_mismatch"):
        await tiktok.stage(tiktok_call, photos(), journal)


async def test_photos_are_counted_like_videos(
    tiktok: Platform, tiktok_call: Call, post: Any, photos: Photos, sandbox: Sandbox, settled: Settled
) -> None:
    await post(photos())
    await settled()
    (shown,) = sandbox.truth.posts()
    assert set(await tiktok.insights(tiktok_call, [shown.post_id])) == {shown.post_id}
