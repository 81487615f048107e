"""Every kind of post on X, compared with what X received; and what X refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Refused
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.x.platform import XSandbox

from libs.platforms.tests.x.steps import posted

DESCRIBE = "POST /2/media/metadata"


@pytest.mark.parametrize(
    ("text", "settings", "seen"),
    [
        ("Fresh paint & <new> doors", {}, {}),
        ("Read", {"link": "https://example.com/a"}, {}),
        (
            "Which door?",
            {"poll": {"options": ["red", "blue"], "minutes": 60}, "reply_settings": "verified"},
            {"poll": {"options": ["red", "blue"], "duration_minutes": 60}, "reply_settings": "verified"},
        ),
        ("Quoted", {"quote_post_id": "ours"}, {"quote_tweet_id": "ours"}),
        ("Answer", {"reply_to_post_id": "ours"}, {}),
        (
            "For some",
            {"community_id": "77", "share_with_followers": True, "for_super_followers_only": True},
            {"community_id": "77", "share_with_followers": True, "for_super_followers_only": True},
        ),
        (
            "Declared",
            {"made_with_ai": True, "paid_partnership": True, "place_id": "df51dec6f4ee2b2c"},
            {"made_with_ai": True, "paid_partnership": True, "geo": {"place_id": "df51dec6f4ee2b2c"}},
        ),
    ],
)
async def test_a_text_with_its_choices_is_what_was_approved(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    text: str,
    settings: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    sandbox.of(XSandbox).state.clients["sandbox-client-id"].self_serve = False
    earlier = MemoryJournal()
    await x.publish(call, make_delivery("Ours"), earlier)
    ours = earlier.facts["posts"]["0"]
    chosen = {name: ours if value == "ours" else value for name, value in settings.items()}
    delivery = make_delivery(text, settings=chosen)
    await x.stage(call, delivery, journal)
    await x.publish(call, delivery, journal)
    post = sandbox.truth.posts("x")[-1]
    assert post.text == "\n".join([text, *([settings["link"]] if "link" in settings else [])])
    expected = {name: ours if value == "ours" else value for name, value in seen.items()}
    assert {name: post.settings.get(name) for name in seen} == expected
    assert ("reply" in post.settings) is ("reply_to_post_id" in settings)


async def test_images_go_out_with_their_descriptions(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    images = tuple(image(size, alt_text=alt) for size, alt in ((5000, "red"), (6000, ""), (7000, "blue"), (8000, "x")))
    delivery = make_delivery("Doors", media=images, settings={"tagged_user_ids": ["2244994946"]})
    (post,) = await posted(x, call, delivery, journal, clock, sandbox)
    assert [(item.sha256, item.alt_text) for item in post.media] == [(item.sha256, item.alt_text) for item in images]
    assert post.settings["tagged_user_ids"] == ["2244994946"]
    assert sandbox.requests("x", DESCRIBE) == 3


@pytest.mark.parametrize(("content_type", "category"), [("image/gif", "tweet_gif"), ("video/mp4", "tweet_video")])
async def test_a_gif_or_a_video_is_posted_once_x_has_processed_it(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    content_type: str,
    category: str,
) -> None:
    sandbox.tuning.processing_seconds = 3
    moving = image(9000, content_type=content_type, height=1080) if "gif" in content_type else make_media(size=9000)
    delivery = make_delivery("", media=(moving,))
    with pytest.raises(RateLimited, match="media_processing") as waiting:
        await x.stage(call, delivery, journal)
    assert waiting.value.until == clock.now() + timedelta(seconds=1)
    with pytest.raises(Transient, match="not_staged"):
        await x.publish(call, delivery, journal)
    (post,) = await posted(x, call, delivery, journal, clock, sandbox)
    (file,) = sandbox.of(XSandbox).state.files.values()
    assert (post.media[0].sha256, file.category) == (moving.sha256, category)


async def test_a_thread_with_its_files_and_a_first_reply(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    files = (image(5000), make_media(size=6000), image(7000))
    thread = [{"text": "two", "media": [1]}, {"text": "three", "media": [2]}]
    settings = {"thread": thread, "first_comment": "More: https://example.com", "reply_settings": "following"}
    delivery = make_delivery("one", media=files, settings=settings)
    posts = await posted(x, call, delivery, journal, clock, sandbox)
    assert [post.text for post in posts] == ["one", "two", "three", "More: https://example.com"]
    assert [[item.sha256 for item in post.media] for post in posts] == [[file.sha256] for file in files] + [[]]
    targets = [post.settings.get("reply", {}).get("in_reply_to_tweet_id") for post in posts]
    assert targets == [None, posts[0].post_id, posts[1].post_id, posts[0].post_id]
    assert [post.settings.get("reply_settings") for post in posts] == ["following", None, None, None]


async def test_a_long_text_needs_an_account_with_premium(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("word " * 100 + "end", settings={"premium": True})
    with pytest.raises(Rejected, match="premium_missing"):
        await x.stage(call, delivery, journal)
    sandbox.of(XSandbox).state.accounts["2244994945"].subscription_type = "Premium"
    (post,) = await posted(x, call, delivery, journal, clock, sandbox)
    assert post.text == delivery.text


async def test_limits_tell_when_to_come_back_and_are_obeyed(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.of(XSandbox).state.posts_per_day = 1
    await x.publish(call, make_delivery("one"), MemoryJournal())
    journal = MemoryJournal()
    with pytest.raises(RateLimited) as limited:
        await x.publish(call, make_delivery("two"), journal)
    assert limited.value.until == clock.now().replace(hour=0) + timedelta(days=1)
    assert journal.facts["trying"] is None
    clock.advance(timedelta(minutes=15))
    sandbox.of(XSandbox).state.posts_per_day = 10
    await x.publish(call, make_delivery("two"), journal)
    assert [post.text for post in sandbox.truth.posts("x")] == ["one", "two"]


async def test_without_credits_everything_waits_an_hour(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox, clock: FixedClock
) -> None:
    sandbox.of(XSandbox).state.no_credits = True
    with pytest.raises(RateLimited, match="credits_depleted") as waiting:
        await x.publish(call, make_delivery(), MemoryJournal())
    assert waiting.value.until == clock.now() + timedelta(hours=1)


async def test_what_the_platform_refuses_is_not_posted(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    quoting = make_delivery("Quote", settings={"quote_post_id": "1"})
    with pytest.raises(Rejected, match="feature"):
        await x.publish(call, quoting, MemoryJournal())
    answering = make_delivery("Answer", settings={"reply_to_post_id": "1"})
    with pytest.raises(Rejected, match="resource-not-found"):
        await x.publish(call, answering, MemoryJournal())
    with pytest.raises(Rejected, match="text_too_long"):
        await x.stage(call, make_delivery("a" * 281), MemoryJournal())
    sandbox.of(XSandbox).state.accounts["2244994945"].suspended = True
    with pytest.raises(ReauthorisationNeeded, match="account_locked"):
        await x.publish(call, make_delivery(), MemoryJournal())
    assert sandbox.truth.posts("x") == []


async def test_a_post_that_was_removed_is_no_longer_published(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery()
    with pytest.raises(Transient, match="not_posted"):
        await x.status(call, delivery, journal)
    await x.publish(call, delivery, journal)
    sandbox.truth.posts("x")[0].removed = True
    assert isinstance(await x.status(call, delivery, journal), Refused)
