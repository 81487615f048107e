"""What the auditor calls a difference, one way to differ at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kit.ids import new_id
from platforms.shape import Shown
from publisher.domain.auditing import Booked, Due, Kind, Seen, Told, told_by
from publisher.domain.comparing import (
    compare_open,
    compare_plan,
    compare_posts,
    compare_receipts,
    compare_rows,
    is_late,
    letters,
    strangers,
)

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DUE_AT = NOW - 5 * HOUR


def booked(state: str = "published", **facts: Any) -> Booked:
    known: dict[str, Any] = {
        "publication_id": new_id(), "workspace_id": new_id(), "schedule_id": new_id(), "connection_id": new_id(),
        "revision_id": new_id(), "platform": "bluesky", "state": state, "code": None, "due_at": DUE_AT,
        "publish_until": DUE_AT + HOUR, "attempted_at": DUE_AT,
        "platform_post_id": "post-1", "evidence": {"cid": "x"}, "changed_at": DUE_AT, "connected": True,
        "removal": None, "removal_ended_at": None,
    }  # fmt: skip
    return Booked(**(known | facts))


def due(row: Booked, state: str = "published", schedule_state: str = "done") -> Due:
    return Due(row.workspace_id, row.schedule_id, row.connection_id, row.due_at, schedule_state, state)


def by_pair(*rows: Booked) -> dict[Any, Booked]:
    return {(row.schedule_id, row.connection_id): row for row in rows}


def shown(post_id: str, text: str = "Fresh paint", *, at: datetime = DUE_AT) -> Shown:
    return Shown(post_id, at, text)


def kinds(differences: Any) -> list[Kind]:
    return [each.kind for each in differences]


def test_three_accounts_that_agree_have_no_differences():
    row = booked()
    told = {row.publication_id: Told(("Fresh paint",))}
    seen = Seen((shown("post-1"), shown("mine", "By hand")), frozenset())
    assert kinds(compare_plan([due(row)], by_pair(row), NOW)) == []
    assert kinds(compare_rows([row], by_pair(row))) == []
    assert kinds(compare_receipts([row], told, seen, NOW)) == []
    assert kinds(compare_posts([row], told, seen.posts, {"post-1"})) == []
    assert strangers([row], seen.posts, {"post-1"}) == 1


@pytest.mark.parametrize(
    ("schedule_state", "state", "found", "expected"),
    [
        ("scheduled", "waiting", None, [Kind.NOT_ANNOUNCED]),
        ("paused", "waiting", None, []),
        ("due", "waiting", None, [Kind.NO_PUBLICATION]),
        ("cancelled", "cancelled", None, []),
        ("cancelled", "cancelled", "cancelled", []),
        ("cancelled", "cancelled", "published", [Kind.TOLD_OTHERWISE]),
        ("done", "published", "published", []),
        ("done", "published", "failed", [Kind.TOLD_OTHERWISE]),
        ("due", "waiting", "published", [Kind.TOLD_OTHERWISE]),
        ("due", "waiting", "processing", []),
    ],
)
def test_the_plan_and_what_came_of_it(schedule_state: str, state: str, found: str | None, expected: list[Kind]):
    row = booked(found or "published")
    held = by_pair(row) if found else {}
    assert kinds(compare_plan([due(row, state, schedule_state)], held, NOW)) == expected


def test_what_changed_just_now_is_left_to_the_next_audit():
    row = booked("failed", changed_at=NOW - timedelta(minutes=1))
    assert kinds(compare_plan([due(row)], by_pair(row), NOW)) == []
    fresh = booked(changed_at=NOW - timedelta(minutes=1))
    assert kinds(compare_receipts([fresh], {}, Seen((), frozenset()), NOW)) == []


def test_a_publication_that_nobody_planned_is_named():
    assert kinds(compare_rows([booked()], ())) == [Kind.NO_SCHEDULE]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, [Kind.NO_RECEIPT]),
        ({"code": "told_by_person"}, []),
        ({"evidence": {"publish_id": "7"}}, []),
        ({"connected": False}, []),
        ({"state": "failed"}, []),
    ],
)
def test_published_means_that_there_is_proof(facts: dict[str, Any], expected: list[Kind]):
    row = booked(**({"platform_post_id": None, "evidence": None} | facts))
    assert kinds(compare_rows([row], by_pair(row))) == expected


@pytest.mark.parametrize(
    ("facts", "late"),
    [
        ({"publish_until": NOW - 2 * HOUR, "attempted_at": None}, True),
        ({"publish_until": NOW - HOUR / 2, "attempted_at": None}, False),
        ({"publish_until": NOW - 30 * HOUR, "attempted_at": NOW - 26 * HOUR}, True),
        ({"publish_until": NOW - 30 * HOUR, "attempted_at": NOW - 23 * HOUR}, False),
        ({"publish_until": None, "attempted_at": None, "due_at": NOW - 74 * HOUR}, True),
        ({"publish_until": None, "attempted_at": None, "due_at": NOW - 70 * HOUR}, False),
    ],
)
def test_what_has_not_ended_is_late_after_its_last_moment(facts: dict[str, Any], late: bool):
    row = booked("processing", **facts)
    assert is_late(row, NOW) is late
    assert kinds(compare_open([row], [], NOW)) == [Kind.STUCK]
    assert kinds(compare_open([row], [due(row, "waiting", "paused")], NOW)) == []


@pytest.mark.parametrize(
    ("listed", "counted", "facts", "expected"),
    [
        ((), (), {}, [Kind.POST_MISSING]),
        ((), ("post-1",), {}, []),
        ((), (), {"removal": "removed", "removal_ended_at": DUE_AT}, []),
        (("post-1",), (), {"removal": "removed", "removal_ended_at": DUE_AT}, [Kind.NOT_REMOVED]),
        (("post-1",), (), {"removal": "removed", "removal_ended_at": NOW}, []),
        ((), (), {"removal": "removing"}, []),
        ((), (), {"removal": "failed", "removal_ended_at": DUE_AT}, [Kind.POST_MISSING]),
        ((), (), {"state": "failed"}, []),
        ((), (), {"platform_post_id": None}, []),
    ],
)
def test_what_a_receipt_names_is_there(
    listed: tuple[str, ...], counted: tuple[str, ...], facts: dict[str, Any], expected: list[Kind]
):
    seen = Seen(tuple(shown(each) for each in listed), frozenset(counted))
    assert kinds(compare_receipts([booked(**facts)], {}, seen, NOW)) == expected


def test_a_story_goes_by_itself():
    row = booked()
    told = {row.publication_id: told_by({"kind": "story"}, "")}
    assert kinds(compare_receipts([row], told, Seen((), frozenset()), NOW)) == []


def test_two_publications_do_not_share_a_post():
    rows = [booked(), booked()]
    assert kinds(compare_receipts(rows, {}, Seen((shown("post-1"),), frozenset()), NOW)) == [Kind.SHARED] * 2


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("published", Kind.DOUBLE),
        *((state, Kind.UNCLAIMED) for state in ("failed", "missed", "cancelled", "needs_attention")),
        ("outcome_unknown", None),
    ],
)
def test_a_post_that_says_the_same_is_named_with_ours(state: str, expected: Kind | None):
    row = booked(state)
    told = {row.publication_id: Told(("Fresh paint",))}
    found = list(compare_posts([row], told, [shown("other", "Fresh paint!")], {"post-1"}))
    assert kinds(found) == ([expected] if expected else [])
    if expected:
        assert "other" in found[0].post_ids
        assert "paint" not in found[0].detail


def test_nothing_is_looked_at_but_what_lies_around_ours():
    row = booked()
    told = {row.publication_id: Told(("Fresh paint",))}
    for at in (DUE_AT - HOUR, DUE_AT + 2 * HOUR):
        assert kinds(compare_posts([row], told, [shown("other", at=at)], {"post-1"})) == []
        assert strangers([row], [shown("other", at=at)], {"post-1"}) == 0


def test_every_part_of_a_thread_is_ours_by_its_receipt_and_would_be_seen_twice():
    settings = {"thread": [{"text": "Two"}, {"text": "Three"}], "first_comment": "Four"}
    row = booked()
    told = {row.publication_id: told_by(settings, "One")}
    posts = [shown(f"id-{text}", text) for text in ("One", "Two", "Three", "Four")]
    assert kinds(compare_posts([row], told, posts, {post.post_id for post in posts})) == []
    assert kinds(compare_posts([row], told, [*posts, shown("again", "Three")], {p.post_id for p in posts})) == [
        Kind.DOUBLE
    ]


def test_a_part_whose_name_was_never_told_is_no_double_but_a_second_one_is():
    row = booked(evidence={"posts": {"0": "post-1", "1": None}})
    told = {row.publication_id: Told(("Fresh paint", "Two"))}
    posts = [shown("post-1"), shown("first", "Two"), shown("second", "Two")]
    (double,) = compare_posts([row], told, posts, {"post-1"})
    assert double.post_ids == ("post-1", "second")
    nameless = replace(row, platform_post_id=None, evidence={"publish_id": "7"})
    assert kinds(compare_posts([nameless], told, posts[:1], set())) == []


def test_an_address_is_claimed_by_its_end():
    row = booked()
    told = {row.publication_id: Told(("Fresh paint",))}
    post = shown("at://did:plc:abc/app.bsky.feed.post/3k2")
    assert kinds(compare_posts([row], told, [post], {"app.bsky.feed.post/3k2"})) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Doors & “more” https://example.org/A?x=1", "doors &amp; “more”  example.org/a?x=1"),
        ("Ünïcode\n#tag", "ünïcode #tag"),
        ("🙂 One", "One"),
    ],
)
def test_a_text_is_known_again_after_a_platform_had_it(ours: str, theirs: str):
    assert letters(ours) == letters(theirs) != ""


def test_the_beginning_of_a_long_text_is_known_again_and_a_short_one_is_not():
    long = "paint " * 60
    row = booked()
    told = {row.publication_id: Told((long,))}
    assert kinds(compare_posts([row], told, [shown("cut", long[:150])], {"post-1"})) == [Kind.DOUBLE]
    assert kinds(compare_posts([row], told, [shown("short", "paint paint")], {"post-1"})) == []
    silent = {row.publication_id: Told(("",))}
    assert kinds(compare_posts([row], silent, [shown("silent", "")], {"post-1"})) == []
