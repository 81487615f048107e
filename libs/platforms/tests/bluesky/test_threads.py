"""Threads, first replies and gates: fixed beforehand, written together, so that nobody sees a part of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from platforms.bluesky.cid import cid_of
from platforms.errors import OutcomeUnknown, ReauthorisationNeeded
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, MediaKind, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.bluesky.conftest import Post

APPLY = "POST /xrpc/com.atproto.repo.applyWrites"
THREAD = {"thread": [{"text": "Second"}, {"text": "Third @pub.test", "media": [1]}], "first_comment": "And a word"}


@pytest.fixture
def images(make_media: Callable[..., Media]) -> tuple[Media, ...]:
    return tuple(make_media(MediaKind.IMAGE, size) for size in (10_000, 20_000))


def records(sandbox: Sandbox, collection: str) -> dict[str, dict[str, Any]]:
    return {key[2]: r.value for key, r in sorted(sandbox.bluesky.state.records.items()) if key[1] == collection}


async def test_a_thread_hangs_together_and_keeps_its_order(
    post: Post, make_delivery: Callable[..., Delivery], images: tuple[Media, ...], sandbox: Sandbox
) -> None:
    outcome = await post(make_delivery("First", media=images, settings=THREAD | {"langs": ["en"]}))
    posts = sandbox.truth.posts()
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == posts[0].post_id
    assert [p.text for p in posts] == ["First", "Second", "Third @pub.test", "And a word"]
    assert [[item.sha256 for item in p.media] for p in posts] == [[images[0].sha256], [], [images[1].sha256], []]
    assert [p.settings.get("reply", {}).get("root", {}).get("uri") for p in posts] == [None] + [posts[0].post_id] * 3
    parents = [p.settings.get("reply", {}).get("parent", {}).get("uri") for p in posts]
    assert parents == [None, posts[0].post_id, posts[1].post_id, posts[0].post_id]
    assert [p.settings["langs"] for p in posts] == [["en"]] * 4
    assert posts[2].settings["facets"][0]["features"][0]["$type"].endswith("#mention")
    created, keys = [p.settings["createdAt"] for p in posts], [p.post_id for p in posts]
    assert (created, keys) == (sorted(set(created)), sorted(set(keys)))


async def test_a_reply_names_the_content_above_it_as_the_server_does(
    post: Post, make_delivery: Callable[..., Delivery], images: tuple[Media, ...], sandbox: Sandbox
) -> None:
    await post(make_delivery("First", media=images, settings=THREAD))
    stored = {f"at://{'/'.join(key)}": record for key, record in sandbox.bluesky.state.records.items()}
    for record in stored.values():
        assert cid_of(record.value) == record.cid
        for reference in record.value.get("reply", {}).values():
            assert stored[reference["uri"]].cid == reference["cid"]


async def test_every_record_is_in_the_journal_before_anything_is_seen(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    images: tuple[Media, ...],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("First", media=images, settings=THREAD)
    await bluesky.stage(bluesky_call, delivery, journal)
    assert sandbox.truth.posts() == []
    assert [write["record"]["text"] for write in journal.facts["writes"]] == [
        "First",
        "Second",
        "Third @pub.test",
        "And a word",
    ]
    again = MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, again)
    assert again.facts["writes"] == journal.facts["writes"]


async def test_who_may_reply_and_quote_is_said_with_the_post(
    post: Post, make_delivery: Callable[..., Delivery], sandbox: Sandbox
) -> None:
    settings = {"replies": ["mentioned", "followers", "following"], "no_quotes": True, "thread": [{"text": "Second"}]}
    await post(make_delivery("First", settings=settings))
    posts = records(sandbox, "app.bsky.feed.post")
    ((key, gate),) = records(sandbox, "app.bsky.feed.threadgate").items()
    assert key == next(iter(posts))
    assert [rule["$type"].partition("#")[2] for rule in gate["allow"]] == [
        "mentionRule",
        "followerRule",
        "followingRule",
    ]
    quoting = records(sandbox, "app.bsky.feed.postgate")
    assert list(quoting) == list(posts)
    assert all(each["embeddingRules"][0]["$type"].endswith("#disableRule") for each in quoting.values())


@pytest.mark.parametrize(("replies", "allow"), [(["nobody"], [[]]), ([], [])])
async def test_nobody_may_reply_is_another_thing_than_everybody(
    post: Post, make_delivery: Callable[..., Delivery], sandbox: Sandbox, replies: list[str], allow: list[Any]
) -> None:
    await post(make_delivery("First", settings={"replies": replies}))
    assert [gate["allow"] for gate in records(sandbox, "app.bsky.feed.threadgate").values()] == allow


@pytest.mark.parametrize("kind", ["reset_after", "answer_after"])
async def test_a_thread_lost_after_the_effect_is_found_and_not_repeated(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    kind: str,
) -> None:
    delivery = make_delivery("First", settings={"thread": [{"text": "Second"}], "no_quotes": True})
    await bluesky.stage(bluesky_call, delivery, journal)
    sandbox.add_fault("bluesky", APPLY, kind, status=502)
    with pytest.raises(OutcomeUnknown):
        await bluesky.publish(bluesky_call, delivery, journal)
    finding = await bluesky.reconcile(bluesky_call, delivery, journal)
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == sandbox.truth.posts()[0].post_id
    assert [p.writes for p in sandbox.truth.posts()] == [1, 1]


async def test_a_thread_lost_before_the_effect_is_absent_and_repeated_once(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("First", settings={"thread": [{"text": "Second"}]})
    await bluesky.stage(bluesky_call, delivery, journal)
    sandbox.add_fault("bluesky", APPLY, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await bluesky.publish(bluesky_call, delivery, journal)
    assert isinstance(await bluesky.reconcile(bluesky_call, delivery, journal), Absent)
    await bluesky.publish(bluesky_call, delivery, journal)
    assert [p.text for p in sandbox.truth.posts()] == ["First", "Second"]


async def test_repeating_a_thread_neither_posts_twice_nor_overwrites(
    bluesky: Platform, bluesky_call: Call, post: Post, make_delivery: Callable[..., Delivery], journal: MemoryJournal
) -> None:
    delivery = make_delivery("First", settings={"thread": [{"text": "Second"}]})
    first = await post(delivery)
    # The server has no word for a key that is taken, so this is looked up like a lost answer.
    with pytest.raises(OutcomeUnknown):
        await bluesky.publish(bluesky_call, delivery, journal)
    second = await bluesky.reconcile(bluesky_call, delivery, journal)
    assert isinstance(first, Published)
    assert isinstance(second, Published)
    assert first.receipt.post_id == second.receipt.post_id


async def test_nothing_of_a_thread_is_seen_if_one_of_its_posts_cannot_be_written(
    bluesky: Platform,
    bluesky_call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("First", settings={"thread": [{"text": "Second"}], "no_quotes": True})
    await bluesky.stage(bluesky_call, delivery, journal)
    (session,) = sandbox.bluesky.state.sessions
    session.scopes = [scope for scope in session.scopes if "postgate" not in scope]
    with pytest.raises(ReauthorisationNeeded, match="ScopeMissingError"):
        await bluesky.publish(bluesky_call, delivery, journal)
    assert sandbox.truth.posts() == []
