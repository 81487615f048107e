"""How often a post is looked at, and what answers change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from kit.ids import new_id
from metrics.domain import (
    WITHHELD,
    Tracked,
    TrackingState,
    Withheld,
    after_answer,
    after_failure,
    next_look_at,
)
from platforms.shape import Counts

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def tracked(*, age: timedelta = timedelta(), absences: int = 0, failures: int = 0) -> Tracked:
    return Tracked(new_id(), new_id(), new_id(), "bluesky", "at://1", NOW - age, absences, failures, None)


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(), timedelta(minutes=1)),
        (timedelta(minutes=15), timedelta(minutes=15)),
        (timedelta(hours=23, minutes=59), timedelta(minutes=15)),
        (timedelta(days=1), timedelta(hours=1)),
        (timedelta(days=7), timedelta(days=1)),
        (timedelta(days=89, hours=23), timedelta(days=1)),
        (timedelta(days=90), None),
        # The platform's clock can be ahead of ours.
        (timedelta(seconds=-5), timedelta(minutes=1)),
    ],
)
def test_the_older_a_post_the_rarer_it_is_looked_at(age: timedelta, pause: timedelta | None):
    assert next_look_at(NOW - age, NOW) == (None if pause is None else NOW + pause)


def test_a_post_seen_again_is_not_gone():
    look = after_answer(tracked(absences=2), Counts(views=1), NOW)
    assert (look.state, look.absences) == (TrackingState.TRACKING, 0)


def test_failures_stretch_the_pause_up_to_an_hour():
    pauses = []
    for failures in (0, 1, 2, 50):
        next_at = after_failure(tracked(failures=failures), None, NOW).next_at
        assert next_at is not None
        pauses.append(next_at - NOW)
    assert pauses == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=1)]


def test_a_refusal_ends_with_the_looks_and_silence_does_not():
    old = tracked(age=timedelta(days=90))
    refused = after_failure(old, Withheld.STATISTICS_DENIED, NOW)
    assert (refused.state, refused.next_at, refused.withheld) == (
        TrackingState.FINISHED, None, Withheld.STATISTICS_DENIED,
    )  # fmt: skip
    assert after_failure(old, None, NOW).state is TrackingState.TRACKING


def test_a_reason_stays_until_the_platform_tells_numbers():
    denied = replace(tracked(), withheld=Withheld.STATISTICS_DENIED)
    assert after_failure(denied, None, NOW).withheld is Withheld.STATISTICS_DENIED
    assert after_answer(denied, Counts(views=1), NOW).withheld is None


def test_every_reason_has_its_sentences():
    assert set(WITHHELD) == set(Withheld)
