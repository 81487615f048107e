"""What a post shows besides its text: galleries, link cards, quotes, and quotes with something else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import Rejected
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, MediaKind, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.bluesky.conftest import Post

LINK = "https://example.org/news?q=1"


@pytest.fixture
def image(make_media: Callable[..., Media]) -> Media:
    return make_media(MediaKind.IMAGE, 50_000)


@pytest.fixture
async def earlier(
    bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery], clock: FixedClock
) -> dict[str, str]:
    """A post of an hour ago: its addresses in every form, and its identifier."""
    delivery, journal = make_delivery("Earlier", planned_at=clock.now() - timedelta(hours=1)), MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, journal)
    await bluesky.publish(bluesky_call, delivery, journal)
    did, (write,) = bluesky_call.grant.account_id, journal.facts["writes"]
    return {
        "handle": f"https://bsky.app/profile/brand.test/post/{write['rkey']}",
        "did": f"https://bsky.app/profile/{did}/post/{write['rkey']}",
        "uri": f"at://{did}/app.bsky.feed.post/{write['rkey']}",
        "cid": write["cid"],
    }


def embed_of(sandbox: Sandbox) -> dict[str, Any]:
    shown: dict[str, Any] = sandbox.truth.posts()[-1].settings["embed"]
    return shown


@pytest.mark.parametrize(("count", "kind"), [(4, "app.bsky.embed.images"), (5, "app.bsky.embed.gallery"), (10, None)])
async def test_more_than_four_images_are_a_gallery(
    post: Post,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    sandbox: Sandbox,
    count: int,
    kind: str | None,
) -> None:
    images = tuple(make_media(MediaKind.IMAGE, 1000 + n, alt_text=f"Number {n}") for n in range(count))
    assert isinstance(await post(make_delivery("Many", media=images)), Published)
    (shown,) = sandbox.truth.posts()
    assert [(m.sha256, m.alt_text) for m in shown.media] == [(i.sha256, i.alt_text) for i in images]
    assert embed_of(sandbox)["$type"] == (kind or "app.bsky.embed.gallery")


async def test_a_link_is_a_card_with_its_picture(
    post: Post, make_delivery: Callable[..., Delivery], image: Media, sandbox: Sandbox
) -> None:
    settings = {"link": LINK, "link_title": "News", "link_description": "What is new", "tags": ["news"]}
    await post(make_delivery("Read this", media=(image,), settings=settings))
    card = embed_of(sandbox)["external"]
    assert (card["uri"], card["title"], card["description"]) == (LINK, "News", "What is new")
    assert [item.sha256 for item in sandbox.truth.posts()[0].media] == [image.sha256]
    assert sandbox.truth.posts()[0].settings["tags"] == ["news"]


async def test_a_card_without_a_title_shows_where_it_leads(
    post: Post, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    await post(make_delivery("", settings={"link": LINK}))
    assert embed_of(sandbox)["external"] == {"uri": LINK, "title": "example.org", "description": ""}


@pytest.mark.parametrize("form", ["handle", "did", "uri"])
async def test_a_quote_names_the_post_as_it_is_now(
    post: Post,
    make_delivery: Callable[..., Delivery],
    earlier: dict[str, str],
    sandbox: Sandbox,
    form: str,
) -> None:
    await post(make_delivery("", settings={"quote": earlier[form]}))
    assert embed_of(sandbox) == {
        "$type": "app.bsky.embed.record",
        "record": {"uri": earlier["uri"], "cid": earlier["cid"]},
    }


@pytest.mark.parametrize(
    ("settings", "with_image", "kind"),
    [({}, True, "app.bsky.embed.images"), ({"link": LINK}, False, "app.bsky.embed.external")],
)
async def test_a_quote_may_come_with_something_else(
    post: Post,
    make_delivery: Callable[..., Delivery],
    earlier: dict[str, str],
    image: Media,
    sandbox: Sandbox,
    settings: dict[str, Any],
    with_image: bool,
    kind: str,
) -> None:
    media = (image,) if with_image else ()
    await post(make_delivery("Both", media=media, settings=settings | {"quote": earlier["handle"]}))
    embed = embed_of(sandbox)
    assert (embed["$type"], embed["media"]["$type"]) == ("app.bsky.embed.recordWithMedia", kind)
    assert embed["record"]["record"]["cid"] == earlier["cid"]
    assert len(sandbox.truth.posts()[-1].media) == len(media)


@pytest.mark.parametrize("actor", ["brand.test", "nobody.test"])
async def test_a_post_that_is_gone_cannot_be_quoted(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    actor: str,
) -> None:
    delivery = make_delivery("x", settings={"quote": f"https://bsky.app/profile/{actor}/post/3jzfcijpj2z2a"})
    with pytest.raises(Rejected, match="quote_not_found"):
        await bluesky.stage(bluesky_call, delivery, journal)
    assert sandbox.truth.posts() == []
