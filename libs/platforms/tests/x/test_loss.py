"""Posts whose call went unanswered: found, or proved absent and made once, or left to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Finding, Media, Published, Undecided
from platforms.x import answers
from platforms.x.looking import comparable, said_in
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.truth import Post, PostedMedia
from sandbox.x.platform import XSandbox

from libs.platforms.tests.x.steps import reconciled

TWEETS = "POST /2/tweets"
TEXT = "Doors & “more” <b> at example.com/A and https://example.org/x?y=1#z 🙂\n\nNew line "
THREAD = {"thread": [{"text": "two"}, {"text": "three"}]}


@pytest.mark.parametrize(("kind", "status"), [("reset_after", 0), ("answer_after", 503), ("answer_after", 201)])
@pytest.mark.parametrize("renamed", [False, True])
async def test_lost_after_the_effect_it_is_found_and_not_repeated(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    kind: str,
    status: int,
    renamed: bool,
) -> None:
    sandbox.of(XSandbox).state.renamed = renamed
    delivery = make_delivery(TEXT, media=(image(),))
    await x.stage(call, delivery, journal)
    sandbox.add_fault("x", TWEETS, kind, status=status)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    finding = await reconciled(x, call, delivery, journal, clock)
    (post,) = sandbox.truth.posts()
    assert isinstance(finding, Published)
    assert finding.receipt.post_id == post.post_id
    assert await x.publish(call, delivery, journal) == finding
    assert sandbox.requests("x", TWEETS) == 1


async def test_lost_before_the_effect_it_is_absent_and_made_once(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery(TEXT)
    sandbox.add_fault("x", TWEETS, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    began = clock.now()
    finding = await reconciled(x, call, delivery, journal, clock)
    assert isinstance(finding, Absent)
    assert finding.evidence["posts"] == {}
    assert clock.now() - began >= timedelta(seconds=20)
    await x.publish(call, delivery, journal)
    assert len(sandbox.truth.posts()) == 1


async def test_a_list_that_is_behind_is_not_taken_for_absence(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.of(XSandbox).state.list_lag_seconds = 15
    sandbox.add_fault("x", TWEETS, "reset_after")
    delivery = make_delivery("Once")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await x.reconcile(call, delivery, journal)
    clock.advance(timedelta(seconds=21))
    assert isinstance(await x.reconcile(call, delivery, journal), Published)


async def test_repeating_everything_after_the_effect_posts_nothing_more(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("Once")
    sandbox.of(XSandbox).state.list_lag_seconds = 15
    sandbox.add_fault("x", TWEETS, "reset_after")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await x.publish(call, delivery, journal)
    sandbox.of(XSandbox).state.list_lag_seconds = 0
    assert isinstance(await x.publish(call, delivery, journal), Published)
    assert (len(sandbox.truth.posts()), sandbox.requests("x", TWEETS)) == (1, 1)


async def test_a_thread_that_is_repeated_without_looking_first_finds_its_lost_post(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
) -> None:
    delivery = make_delivery("one", settings=THREAD)
    sandbox.add_fault("x", TWEETS, "reset_after", skip=1)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    assert isinstance(await x.publish(call, delivery, journal), Published)
    assert [post.text for post in sandbox.truth.posts()] == ["one", "two", "three"]


async def test_a_connection_that_was_never_made_leaves_no_doubt(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
) -> None:
    assert await x.reconcile(call, make_delivery(), journal) == Absent({"posts": {}, "first_tried": {}, "next": 0})


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
async def test_a_thread_goes_on_at_the_right_post(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    lost: int,
    kind: str,
) -> None:
    delivery = make_delivery("one", settings=THREAD | {"first_comment": "four"})
    sandbox.add_fault("x", TWEETS, kind, skip=lost)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    finding = await reconciled(x, call, delivery, journal, clock)
    assert isinstance(finding, Absent)
    assert finding.evidence["next"] == lost + (kind == "reset_after")
    await x.stage(call, delivery, journal)
    outcome = await x.publish(call, delivery, journal)
    posts = sandbox.truth.posts()
    assert isinstance(outcome, Published)
    assert outcome.receipt.post_id == posts[0].post_id
    assert [post.text for post in posts] == ["one", "two", "three", "four"]
    assert list(outcome.receipt.evidence["posts"].values()) == [post.post_id for post in posts]
    targets = [post.settings["reply"]["in_reply_to_tweet_id"] for post in posts[1:]]
    assert targets == [posts[0].post_id, posts[1].post_id, posts[0].post_id]


async def test_the_last_post_of_a_thread_is_found(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("one", settings=THREAD)
    sandbox.add_fault("x", TWEETS, "reset_after", skip=2)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    assert isinstance(await reconciled(x, call, delivery, journal, clock), Published)
    assert len(sandbox.truth.posts()) == 3


async def test_a_limit_in_the_middle_of_a_thread_is_waited_for(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("one", settings=THREAD)
    sandbox.add_fault("x", TWEETS, "answer", status=429, skip=1, body={"title": "Too Many Requests"})
    with pytest.raises(RateLimited):
        await x.publish(call, delivery, journal)
    assert isinstance(await x.publish(call, delivery, journal), Published)
    assert [post.text for post in sandbox.truth.posts()] == ["one", "two", "three"]


async def test_a_thread_that_is_refused_in_the_middle_is_for_a_person(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("one", settings=THREAD)
    refusal = {"title": "Forbidden", "detail": "The Tweet contains an invalid URL.", "status": 403}
    sandbox.add_fault("x", TWEETS, "answer", status=403, skip=1, body=refusal)
    with pytest.raises(OutcomeUnknown, match="thread_incomplete"):
        await x.publish(call, delivery, journal)
    finding = await x.reconcile(call, delivery, journal)
    assert isinstance(finding, Undecided)
    (post,) = sandbox.truth.posts()
    assert finding.evidence["posts"] == {"0": post.post_id}
    assert finding.evidence["refused"]["code"] == "link_refused"


async def test_a_first_reply_that_is_refused_leaves_the_post_published(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("one", settings={"first_comment": "two"})
    refusal = {"title": "Forbidden", "detail": "The Tweet contains an invalid URL.", "status": 403}
    sandbox.add_fault("x", TWEETS, "answer", status=403, skip=1, body=refusal)
    for _ in range(2):
        outcome = await x.publish(call, delivery, journal)
        assert isinstance(outcome, Published)
        assert outcome.receipt.evidence["comment_refused"]["code"] == "link_refused"
    assert await x.reconcile(call, delivery, journal) == outcome
    assert [post.text for post in sandbox.truth.posts()] == ["one"]


async def test_a_duplicate_at_the_first_attempt_is_refused(
    x: Platform, call: Call, make_delivery: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
) -> None:
    await x.publish(call, make_delivery("Same"), MemoryJournal())
    # A refusal that came before proves nothing about the text.
    sandbox.add_fault("x", TWEETS, "answer", status=429)
    with pytest.raises(RateLimited):
        await x.publish(call, make_delivery("Same"), journal)
    with pytest.raises(Rejected, match="duplicate_content"):
        await x.publish(call, make_delivery("Same"), journal)
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.parametrize("listed", [True, False])
async def test_a_duplicate_at_a_repetition_is_evidence_of_the_first_attempt(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    listed: bool,
) -> None:
    """The list was so far behind that the post was taken for absent; X itself knows better."""
    delivery, state = make_delivery("Once"), sandbox.of(XSandbox).state
    state.list_lag_seconds = 3600
    sandbox.add_fault("x", TWEETS, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    assert isinstance(await reconciled(x, call, delivery, journal, clock), Absent)
    state.list_lag_seconds = 0 if listed else 3600
    if listed:
        assert isinstance(await x.publish(call, delivery, journal), Published)
    else:
        with pytest.raises(OutcomeUnknown, match="duplicate_content"):
            await x.publish(call, delivery, journal)
        assert isinstance(await x.reconcile(call, delivery, journal), Undecided)
    assert len(sandbox.truth.posts()) == 1


async def test_other_posts_of_the_account_are_not_taken_for_ours(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("Ours")
    sandbox.add_fault("x", TWEETS, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)

    add_other(sandbox, call, "Ours", PostedMedia("0" * 64, 1, "image/png"), media_keys=["3_1"])
    add_other(sandbox, call, "Ours", reply={"in_reply_to_tweet_id": "5"})
    for number in range(110):
        add_other(sandbox, call, f"busy day {number}")
    assert isinstance(await reconciled(x, call, delivery, journal, clock), Absent)
    assert sandbox.requests("x", f"GET /2/users/{call.grant.account_id}/tweets") == 3 * 2


@pytest.mark.parametrize(("kind", "others", "found"), [
    ("reset_after", 499, Published), ("reset_after", 500, Undecided), ("reset_before", 500, Absent),
    ("reset_before", 501, Undecided),
])  # fmt: skip
async def test_behind_many_other_posts_it_is_found_or_a_person_is_asked(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    kind: str,
    others: int,
    found: type[Finding],
) -> None:
    """What is not among the posts that are read is not proved absent."""
    delivery = make_delivery("Ours")
    sandbox.add_fault("x", TWEETS, kind)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    for number in range(others):
        add_other(sandbox, call, f"busy day {number}")
    assert isinstance(await reconciled(x, call, delivery, journal, clock), found)
    if found is Undecided:
        with pytest.raises(OutcomeUnknown, match="list_too_long"):
            await x.publish(call, delivery, journal)
        assert sandbox.requests("x", TWEETS) == 1


@pytest.mark.promise("P42")
@pytest.mark.parametrize(("kind", "others", "made"), [("reset_before", 501, 1), ("reset_after", 499, 0)])
async def test_a_persons_word_that_it_is_not_there_makes_one_new_call_unless_it_is_listed(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    kind: str,
    others: int,
    made: int,
) -> None:
    sandbox.add_fault("x", TWEETS, kind)
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, make_delivery("Ours"), journal)
    for number in range(others):
        add_other(sandbox, call, f"busy day {number}")
    told = replace(make_delivery("Ours"), forgiven=1)
    await x.stage(call, told, journal)
    assert isinstance(await x.publish(call, told, journal), Published)
    assert sandbox.requests("x", TWEETS) == 1 + made
    assert [post.text for post in sandbox.truth.posts()].count("Ours") == 1


async def test_a_persons_word_is_about_the_calls_before_it_and_no_later_one(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.add_fault("x", TWEETS, "reset_before")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, make_delivery("Ours"), journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await x.reconcile(call, make_delivery("Ours"), journal)
    for number in range(501):
        add_other(sandbox, call, f"busy day {number}")
    told = replace(make_delivery("Ours"), forgiven=1)
    await x.stage(call, told, journal)
    sandbox.add_fault("x", TWEETS, "reset_after")
    with pytest.raises(OutcomeUnknown, match="no_answer"):
        await x.publish(call, told, journal)
    for number in range(500):
        add_other(sandbox, call, f"busy evening {number}")
    clock.advance(timedelta(minutes=1))
    assert isinstance(await x.reconcile(call, told, journal), Undecided)
    await x.stage(call, told, journal)
    with pytest.raises(OutcomeUnknown, match="list_too_long"):
        await x.publish(call, told, journal)
    assert sandbox.requests("x", TWEETS) == 2


def add_other(sandbox: Sandbox, call: Call, text: str, *media: PostedMedia, **settings: object) -> None:
    """A post of the account that is not ours."""
    post_id = sandbox.of(XSandbox).state.new_id()
    sandbox.truth.add(Post("x", call.grant.account_id, post_id, text, media, settings, call.clock.now()))


def test_texts_are_compared_without_what_x_changes() -> None:
    urls = [
        answers.Url("https://t.co/a", "http://example.com/A"),
        answers.Url("https://t.co/b", "https://x.com/b/status/9/photo/1"),
        answers.Url("https://t.co/c", "https://x.com/i/status/55"),
    ]
    entities = answers.Entities(urls)
    post = answers.Post("1", text="A &amp; B &lt;c&gt; https://t.co/a https://t.co/c https://t.co/b", entities=entities)
    assert comparable(said_in(post, quotes="55")) == comparable("A & B <c> example.com/A/ ")
    assert comparable(said_in(post)) != comparable("A & B <c> example.com/A")
    note = answers.Note("the whole of it https://t.co/a", entities)
    assert said_in(answers.Post("1", text="the wh…", note_post=note)) == "the whole of it http://example.com/A"
    assert said_in(answers.Post("1", text="the wh…", note_tweet=note)) == "the whole of it http://example.com/A"


async def test_a_long_text_is_found_by_its_whole(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.of(XSandbox).state.accounts["2244994945"].subscription_type = "Premium"
    delivery = make_delivery("word " * 100 + "https://example.com/end", settings={"premium": True})
    await x.stage(call, delivery, journal)
    sandbox.add_fault("x", TWEETS, "reset_after")
    with pytest.raises(OutcomeUnknown):
        await x.publish(call, delivery, journal)
    assert isinstance(await reconciled(x, call, delivery, journal, clock), Published)
