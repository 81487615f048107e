"""How often a post is looked at, and what answers change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from kit.ids import new_id
from metrics.domain import Tracked, TrackingState, after_answer, after_failure, next_look_at
from platforms.shape import Counts

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def tracked(*, age: timedelta = timedelta(), absences: int = 0, failures: int = 0) -> Tracked:
    return Tracked(new_id(), new_id(), new_id(), "bluesky", "at://1", NOW - age, absences, failures)


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
        next_at = after_failure(tracked(failures=failures), NOW).next_at
        assert next_at is not None
        pauses.append(next_at - NOW)
    assert pauses == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=1)]
