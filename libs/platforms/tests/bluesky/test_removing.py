"""Records are taken off as they were written: a thread from its end, gates with their posts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from atproto import AsyncClient
from platforms.errors import Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, NotThere, Published, Receipt, Removed
from sandbox.bluesky.state import APP_PASSWORD
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.bluesky.conftest import Post

DELETE = "POST /xrpc/com.atproto.repo.deleteRecord"
SETTINGS = {
    "thread": [{"text": "Second"}, {"text": "Third"}],
    "first_comment": "And a word",
    "replies": ["following"],
    "no_quotes": True,
}


async def test_a_thread_goes_with_its_gates_and_the_first_post_last(
    post: Post, bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    outcome = await post(make_delivery("First", settings=SETTINGS))
    assert isinstance(outcome, Published)
    listed = await bluesky.own_posts(bluesky_call, since=sandbox.clock.now())
    assert sorted(shown.text for shown in listed.posts) == ["And a word", "First", "Second", "Third"]
    written = list(sandbox.bluesky.state.records)
    sandbox.add_fault("bluesky", DELETE, "reset_after", skip=len(written) - 2)
    with pytest.raises(Transient):
        await bluesky.remove(bluesky_call, outcome.receipt)
    assert [entry.text for entry in sandbox.truth.posts()] == ["First"]
    removed = await bluesky.remove(bluesky_call, outcome.receipt)
    assert isinstance(removed, Removed)
    assert len(removed.evidence["not_there"]) == len(written) - 1
    assert sandbox.bluesky.state.records == {}


async def test_what_was_found_by_looking_is_taken_off_whole(
    post: Post,
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("First", settings=SETTINGS)
    await post(delivery)
    found = await bluesky.reconcile(bluesky_call, delivery, journal)
    assert isinstance(found, Published)
    await bluesky.remove(bluesky_call, found.receipt)
    assert sandbox.bluesky.state.records == {}


async def test_a_receipt_that_names_no_records_still_names_its_post(
    post: Post, bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    outcome = await post(make_delivery("First"))
    assert isinstance(outcome, Published)
    receipt = Receipt(outcome.receipt.post_id, None, {"cid": "x", "records": 1})
    assert isinstance(await bluesky.remove(bluesky_call, receipt), Removed)
    assert isinstance(await bluesky.remove(bluesky_call, receipt), NotThere)
    assert sandbox.truth.posts() == []


async def test_others_see_that_it_is_gone(
    post: Post, bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    client = AsyncClient(sandbox.base_urls["bluesky"])
    await client.login("brand.test", APP_PASSWORD)
    outcome = await post(make_delivery("First"))
    assert isinstance(outcome, Published)
    uri = str(outcome.receipt.post_id)
    assert [each.uri for each in (await client.get_posts([uri])).posts] == [uri]
    await bluesky.remove(bluesky_call, outcome.receipt)
    assert (await client.get_posts([uri])).posts == []
    await client.request.close()
