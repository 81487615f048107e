"""The state machine and its verdicts, without anything around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from contracts.publisher import PublicationIdentifiedV1, PublicationPublishedV1, PublicationStagedV1
from hypothesis import given
from hypothesis import strategies as st
from kit.ids import new_id
from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.shape import Absent, Processing, Published, Receipt, Refused, Undecided
from publisher.domain.answers import Answer, PostElsewhere, answered_by_person
from publisher.domain.publication import (
    BEFORE_INTENT,
    ENDED,
    GIVEN_UP,
    LATE_MAX,
    MOVES,
    STAGE_AHEAD,
    IllegalMove,
    Publication,
    State,
)
from publisher.domain.telling import told_by
from publisher.domain.verdicts import (
    answered,
    failed_before_effect,
    failed_to_ask,
    found,
    identified,
    intend,
    published,
    revoked,
    staged,
    unknown,
)
from publisher.domain.waiting import BACKOFF_MAX, FAILURES_MAX, ask_later, backoff, hold, resume, retry
from publisher.domain.words import as_word

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RECEIPT = Receipt("id-1", "https://social.example/1", {"cid": "x"})


def publication(state: State = State.STAGED, **changes: object) -> Publication:
    made = Publication(
        publication_id=new_id(),
        workspace_id=new_id(),
        schedule_id=new_id(),
        occurrence=1,
        post_id=new_id(),
        revision_id=new_id(),
        connection_id=new_id(),
        due_at=NOW,
        created_at=NOW,
        platform="bluesky",
        due=True,
        attempts=1,
        attempted_at=NOW,
        published_at=NOW,
        next_at=NOW,
        state=state,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_only_the_moves_of_the_table_are_possible(before: State, after: State):
    row = publication(before, code="old")
    if after in MOVES[before]:
        moved = row.become(after)
        assert (moved.state, moved.code) == (after, None)
    else:
        with pytest.raises(IllegalMove):
            row.become(after)


def test_nothing_reaches_the_public_but_through_an_intent():
    """The only ways into `published` are from after an intent, or by a receipt that came late."""
    assert {state for state in State if State.PUBLISHED in MOVES[state]} == {
        State.PUBLISHING, State.PROCESSING, State.OUTCOME_UNKNOWN, State.NEEDS_ATTENTION, State.MISSED, State.STAGING,
        State.STAGED,
    }  # fmt: skip
    assert {state for state in State if State.PUBLISHING in MOVES[state]} == {State.STAGED}
    assert all(State.CANCELLED not in MOVES[state] for state in State if state not in BEFORE_INTENT)


def test_nothing_is_published_before_its_time():
    with pytest.raises(IllegalMove):
        intend(publication(due=False), NOW)
    assert intend(publication(attempts=2), NOW).attempts == 3


def test_a_staged_post_waits_for_its_time_or_goes_on_at_once():
    assert staged(publication(State.STAGING, due=False), NOW).next_at is None
    assert staged(publication(State.STAGING, due=True, failures=3), NOW).next_at == NOW


def test_what_is_moved_to_a_near_time_is_staged_at_once_and_what_is_staged_waits_for_it():
    near, window = NOW + timedelta(minutes=5), NOW + timedelta(minutes=65)
    planned = publication(State.PLANNED, due=False, due_at=NOW + timedelta(days=1), next_at=NOW + timedelta(hours=23))
    moved = planned.move(near, window, "drop", NOW)
    assert (moved.due_at, moved.publish_until, moved.when_missed) == (near, window, "drop")
    assert (moved.state, moved.next_at) == (State.PLANNED, NOW)
    ready = publication(State.STAGED, due=False, next_at=None).move(near, window, "drop", NOW)
    assert (ready.state, ready.next_at, ready.due_at) == (State.STAGED, None, near)


@pytest.mark.parametrize("state", sorted(State))
def test_nothing_that_is_paused_goes_on_before_it_is_due_again(state: State):
    before = publication(state, claim=new_id(), leased_until=NOW, code="why")
    paused = before.pause()
    if state in ENDED:
        assert paused is before
        return
    assert not paused.due
    if state in BEFORE_INTENT:
        assert (paused.state, paused.next_at, paused.claim, paused.code) == (State.PLANNED, None, None, "why")
        resumed = paused.move(NOW + STAGE_AHEAD * 2, None, "hold", NOW)
        assert (resumed.next_at, resumed.due) == (NOW + STAGE_AHEAD, False)
    else:
        # The call that is under way answers for itself; what has to be repeated waits.
        assert (paused.state, paused.claim) == (state, before.claim)
        assert staged(replace(paused, state=State.STAGING), NOW).next_at is None
    assert paused.mark_due(NOW).due


def test_what_is_moved_far_ahead_is_staged_again_before_its_new_time_and_what_is_due_stays():
    later = NOW + timedelta(days=1)
    moved = publication(State.STAGED, due=False, next_at=None).move(later, None, "hold", NOW)
    assert (moved.state, moved.next_at) == (State.PLANNED, later - STAGE_AHEAD)
    due = publication(State.STAGED, due=True)
    assert due.move(later, None, "hold", NOW) is due


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (RateLimited("slow", "down", until=NOW + timedelta(minutes=3)), State.STAGING),
        (Transient("busy", "later"), State.STAGING),
        (ReauthorisationNeeded("dead", "token"), State.STAGING),
        (Rejected("no", "never", advice="Change it."), State.FAILED),
        (Misconfigured("setup", "wrong"), State.FAILED),
        (OutcomeUnknown("lost", "no answer"), State.OUTCOME_UNKNOWN),
    ],
)
def test_every_kind_of_failure_after_an_intent_has_its_state(error: PlatformError, after: State):
    assert failed_before_effect(publication(State.PUBLISHING), error, NOW).state is after


@pytest.mark.parametrize("state", [State.PROCESSING, State.OUTCOME_UNKNOWN, State.PUBLISHED])
@pytest.mark.parametrize(
    "error",
    [
        RateLimited("slow", "down", until=NOW + timedelta(minutes=3)),
        Transient("busy", "later"),
        ReauthorisationNeeded("dead", "token"),
        Rejected("no", "never", advice="Change it."),
        Misconfigured("setup", "wrong"),
        OutcomeUnknown("lost", "no answer"),
    ],
)
def test_a_question_that_fails_never_leads_to_another_attempt(state: State, error: PlatformError):
    after = failed_to_ask(publication(state), error, NOW)
    assert after.state in (state, State.NEEDS_ATTENTION)
    assert after.next_at is None or after.next_at > NOW


@pytest.mark.parametrize(
    ("finding", "after"),
    [
        (Published(RECEIPT), State.PUBLISHED),
        (Processing(5), State.PROCESSING),
        (Refused("no", "never", "Change it."), State.FAILED),
        (Refused("no", "now", "Wait.", repeatable=True), State.STAGING),
        (Absent({}), State.STAGING),
        (Undecided({"seen": 2}), State.NEEDS_ATTENTION),
    ],
)
def test_every_finding_closes_the_doubt(finding, after: State):
    assert found(publication(State.OUTCOME_UNKNOWN), finding, NOW).state is after


def test_attempts_are_bounded():
    assert found(publication(State.OUTCOME_UNKNOWN, attempts=FAILURES_MAX), Absent({}), NOW).state is State.FAILED
    exhausted = publication(State.PUBLISHING, attempts=FAILURES_MAX)
    assert failed_before_effect(exhausted, Transient("busy", "x"), NOW).code == "platform_unavailable"
    limited = failed_before_effect(exhausted, RateLimited("slow", "x", until=NOW + timedelta(minutes=1)), NOW)
    assert (limited.state, limited.next_at) == (State.STAGING, NOW + timedelta(minutes=1))


def test_a_wait_beyond_its_window_misses_it():
    until = NOW + LATE_MAX + timedelta(seconds=1)
    after = failed_before_effect(publication(State.PUBLISHING), RateLimited("slow", "x", until=until), NOW)
    assert (after.state, after.code, after.next_at) == (State.MISSED, "slow", None)


def test_what_was_begun_is_never_advised_to_be_made_anew():
    """A part of it may be out, of a thread say: a new post would repeat it, trying again does not."""
    late = NOW + LATE_MAX + timedelta(seconds=1)
    for begun in (False, True):
        row = publication(State.STAGING, attempts=int(begun))
        failed = retry(replace(row, failures=FAILURES_MAX), NOW, code="busy")
        dropped = retry(replace(row, when_missed="drop"), late, code="busy")
        assert (failed.state, dropped.state) == (State.FAILED, State.MISSED)
        assert ("not as a new post" in str(failed.advice), "not as a new post" in str(dropped.advice)) == (begun, begun)
        assert ("Schedule" in str(failed.advice), "schedule it again" in str(dropped.advice)) == (not begun, not begun)
        assert bool(row.cancel("cancelled_by_person").advice) is begun


@given(st.integers(0, 10_000))
def test_pauses_grow_and_end(failures: int):
    assert backoff(failures) <= backoff(failures + 1) <= BACKOFF_MAX
    assert backoff(failures) >= timedelta(seconds=2)


@given(st.sampled_from(sorted(State)), st.booleans(), st.booleans())
def test_holding_and_resuming_lose_nothing(state: State, due: bool, held_before: bool):
    row = publication(state, due=due, next_at=None if state is State.STAGED and not due else NOW)
    held = hold(row, NOW)
    assert (held.state is row.state) or (row.state, held.state) == (State.PUBLISHING, State.STAGING)
    if held is not row and held.held:
        again = resume(held, NOW)
        assert (again.held, again.code) == (False, None)
        assert (again.next_at is None) == (row.next_at is None)


@pytest.mark.parametrize("state", list(State))
def test_a_revoked_connection_leaves_nothing_to_do_but_what_is_under_way(state: State):
    after = revoked(publication(state))
    assert after.ended or after.state in (State.PUBLISHING, *GIVEN_UP)
    assert (after.state is State.CANCELLED) == (state in BEFORE_INTENT | {State.CANCELLED})


def test_due_wakes_what_waits_for_it_and_nothing_else():
    assert publication(due=False, next_at=None).mark_due(NOW).next_at == NOW
    later = NOW + timedelta(minutes=9)
    limited = publication(State.STAGING, due=False, next_at=later).mark_due(NOW)
    assert (limited.due, limited.next_at) == (True, later)
    ended = publication(State.CANCELLED, due=False, next_at=None)
    assert ended.mark_due(NOW) is ended


def test_processing_is_asked_more_rarely_and_ends():
    later = NOW + timedelta(hours=1)
    after = answered(publication(State.PROCESSING), Processing(5), later)
    assert after.next_at == later + timedelta(minutes=5)
    given_up = answered(publication(State.PROCESSING), Processing(5), NOW + timedelta(hours=25))
    assert (given_up.state, given_up.code) == (State.NEEDS_ATTENTION, "still_processing")
    assert ask_later(publication(State.OUTCOME_UNKNOWN), NOW + timedelta(hours=25)).state is State.NEEDS_ATTENTION


def test_what_is_processed_for_ever_is_handed_to_a_person_with_what_it_is_found_by():
    known = {"video_id": "v1"}
    processing = answered(publication(State.PUBLISHING), Processing(5, known), NOW)
    assert (processing.state, processing.evidence) == (State.PROCESSING, known)
    a_day_on = NOW + timedelta(hours=25)
    for given_up in (
        answered(processing, Processing(5), a_day_on),
        ask_later(processing, a_day_on),
        failed_to_ask(processing, RateLimited("later", "too many", until=a_day_on), a_day_on),
    ):
        assert (given_up.state, given_up.evidence) == (State.NEEDS_ATTENTION, known)
    refused = failed_to_ask(processing, Rejected("no", "no such thing", advice=""), a_day_on)
    assert refused.evidence == known | {"detail": "no such thing"}


@pytest.mark.parametrize(
    "url",
    [
        "https://bsky.app.example/profile/brand/post/7",
        "https://bsky.app@example.com/profile/brand/post/7",
        "https://example.com\\@bsky.app/profile/brand/post/7",
        "https://example.com/https://bsky.app/post/7",
        "https://notbsky.app/post/7",
        "https://bsky.app/",
        "https://[bsky.app/post/7",
    ],
)
def test_an_address_that_only_looks_like_the_platforms_is_refused(url: str):
    asking = replace(publication(State.NEEDS_ATTENTION), platform="bluesky")
    with pytest.raises(PostElsewhere):
        answered_by_person(asking, Answer.IS_THERE, NOW, url=url)


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        ("bluesky", "https://bsky.app/profile/brand/post/7"),
        ("youtube", "https://m.youtube.com/watch?v=7"),
        ("youtube", "https://youtu.be/7"),
        ("pinterest", "https://de.pinterest.com/pin/7"),
        ("x", "https://TWITTER.com/brand/status/7"),
    ],
)
def test_the_platforms_own_addresses_are_kept(platform: str, url: str):
    asking = replace(publication(State.NEEDS_ATTENTION), platform=platform)
    assert answered_by_person(asking, Answer.IS_THERE, NOW, url=url).url == url


def test_an_id_is_asked_for_until_it_is_known_or_a_day_has_passed():
    nameless = published(publication(State.PUBLISHING), Receipt(None, None, {}), NOW)
    assert nameless.next_at is not None
    known = identified(nameless, Published(RECEIPT), NOW)
    assert (known.platform_post_id, known.url, known.ended) == (RECEIPT.post_id, RECEIPT.url, True)
    assert isinstance(told_by(nameless, known), PublicationIdentifiedV1)
    assert identified(nameless, Published(Receipt(None, None, {})), NOW + timedelta(hours=25)).ended


def test_an_id_that_no_event_can_carry_is_not_kept():
    assert published(publication(State.PUBLISHING), Receipt("x" * 301, None, {}), NOW).platform_post_id is None


def test_staging_again_is_not_told_again():
    first = staged(publication(State.STAGING, staged_at=None), NOW)
    assert isinstance(told_by(publication(State.STAGING, staged_at=None), first), PublicationStagedV1)
    assert told_by(replace(first, state=State.STAGING), first) is None


def test_every_end_is_told():
    for state in ENDED:
        event = told_by(publication(State.PUBLISHING), publication(state, code="why", platform_post_id="x"))
        assert event is not None
        assert event.type == f"publication.{state}"
    row = publication(State.PUBLISHING)
    assert isinstance(told_by(row, answered(row, Published(RECEIPT), NOW)), PublicationPublishedV1)
    assert told_by(row, row) is None


def test_unknown_is_looked_up_soon():
    after = unknown(publication(State.PUBLISHING), NOW, code="Lost It")
    assert after.next_at is not None
    assert NOW < after.next_at <= NOW + timedelta(seconds=5)
    assert after.code == "lost_it"


def test_a_failure_keeps_its_reason_while_it_waits():
    after = retry(publication(State.STAGING), NOW, code="ServiceBusy", detail="try later")
    assert (after.code, after.detail, after.failures) == ("servicebusy", "try later", 1)


@given(st.text(max_size=200))
def test_every_code_becomes_a_word_that_events_allow(code: str):
    told_by(publication(State.PUBLISHING), publication(State.FAILED, code=as_word(code)))
