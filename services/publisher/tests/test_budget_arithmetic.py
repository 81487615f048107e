"""No window ever holds more than a rate's maximum, and who waits for the same budget gets it in turns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from kit.ids import new_id
from platforms.limits import Per, RateLimit, Spending, once
from publisher.domain.budget import Bill, Budget, Charge, Closure, Step, bill
from publisher.domain.meter import SLOTS, Meter
from publisher.domain.publication import State
from publisher.domain.sharing import Ask, Books, Waiting, foresee, share
from publisher.domain.waiting import wait_for_budget

from services.publisher.tests.budgeting import NOW, publication
from services.publisher.tests.fakes import with_rates

DAY = timedelta(days=1)
PACIFIC = "America/Los_Angeles"
WINDOWS = st.sampled_from([timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1), DAY])
PAUSES = st.lists(
    st.tuples(st.one_of(st.integers(0, 400_000), st.integers(997_000, 999_999)), st.integers(1, 4)), max_size=25
)
"""Steps of a clock, in millionths of the window, and how much is wanted then."""


def rate(maximum: int, window: timedelta = DAY, per: Per = Per.ACCOUNT, zone: str | None = None) -> RateLimit:
    return RateLimit("posts", maximum, window, per, Spending("posts", publishing=once, zone=zone))


def ask(
    limit: RateLimit, *, workspace_id: UUID | None = None, connection_id: UUID | None = None, units: int = 1
) -> Ask:
    made = publication(workspace_id, connection_id)
    return Ask(made, Bill("bluesky", Step.PUBLISHING, (Charge(limit, units),)))


@given(st.integers(1, 20), WINDOWS, PAUSES)
def test_no_rolling_window_ever_holds_more_than_the_maximum(maximum: int, window: timedelta, pauses):
    now, meter, spent = NOW, Meter(rate(maximum, window), {}), []
    for pause, units in pauses:
        now += window * pause / 1_000_000
        if meter.left(now) >= units:
            meter = meter.take(units, now)
            spent.append((now, units))
        assert sum(taken for at, taken in spent if at > now - window) <= maximum
        assert len(meter.spent) <= SLOTS + 2


@given(st.integers(1, 3), WINDOWS, st.lists(st.tuples(st.integers(0, 450_000), st.integers(0, 3)), max_size=20))
def test_no_window_holds_more_than_the_maximum_where_tries_are_repeated(maximum: int, window: timedelta, steps):
    """Of each post only its last try may be out."""
    now, meter, tries = NOW, Meter(rate(maximum, window), {}), dict[int, datetime]()
    for pause, post in steps:
        now += window * pause / 1_000_000
        slot = meter.slot(tries[post]) if post in tries else None
        before = slot if slot is not None and meter.counts(slot, now) else None
        if before is not None or meter.left(now):
            meter = meter.take(1, now, instead_of=before)
            tries[post] = now
        assert sum(at > now - window for at in tries.values()) <= maximum


@given(st.integers(1, 20), PAUSES)
def test_no_day_of_a_zone_ever_holds_more_than_the_maximum(maximum: int, pauses):
    now, meter, by_day = NOW, Meter(rate(maximum, zone=PACIFIC), {}), Counter[object]()
    for pause, units in pauses:
        now += DAY * pause / 1_000_000
        day = now.astimezone(ZoneInfo(PACIFIC)).date()
        assert meter.left(now) == maximum - by_day[day]
        if meter.left(now) >= units:
            meter = meter.take(units, now)
            by_day[day] += units


@given(st.integers(1, 20), WINDOWS, PAUSES, st.integers(1, 60), st.sampled_from([None, PACIFIC]))
def test_what_is_free_later_is_free_then_and_not_before(
    maximum: int, window: timedelta, pauses, units: int, zone: str | None
):
    now, meter = NOW, Meter(rate(maximum, DAY if zone else window, zone=zone), {})
    for pause, wanted in pauses:
        now += window * pause / 1_000_000
        meter = meter.take(wanted, now) if meter.left(now) >= wanted else meter
    free_at = meter.free_at(units, now)
    if units <= maximum:
        assert meter.left(free_at) >= units
        assert free_at == now or meter.left(free_at - timedelta(microseconds=1)) < units
    else:
        assert free_at >= meter.free_at(maximum, now) + meter.rate.window * ((units - 1) // maximum) - timedelta(
            hours=1
        )


def test_a_daily_window_begins_at_midnight_of_its_zone():
    full = Meter(rate(1, zone=PACIFIC), {}).take(1, NOW)
    midnight = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert full.free_at(1, NOW) == midnight
    assert [full.left(midnight - timedelta(seconds=1)), full.left(midnight)] == [0, 1]


def test_a_repeat_takes_the_place_of_the_try_before():
    row = publication()
    due = bill("bluesky", with_rates(rate(1, timedelta(hours=1))), Step.PUBLISHING, (), {})
    books = Books({row.connection_id: Budget()}, {"bluesky": Budget()})
    again = Ask(replace(row, paid=due.paid(NOW)), due)
    other = Ask(publication(row.workspace_id, row.connection_id), due)
    assert share([Ask(row, due)], books, {}, NOW) == [None]
    soon = NOW + timedelta(minutes=59)
    assert share([again], books, {}, soon) == [None]
    # The repeat took the place of the first try, so it counts from now on.
    assert share([other], books, {}, NOW + timedelta(minutes=61)) != [None]
    assert share([again], books, {}, NOW + timedelta(minutes=61)) != [None]
    assert share([other], books, {}, soon + timedelta(minutes=61)) == [None]


def test_a_post_that_takes_more_than_there_is_takes_all_of_it():
    thread = RateLimit("posts", 3, DAY, Per.ACCOUNT, Spending("posts", publishing=lambda media, settings: 9))
    (charge,) = bill("bluesky", with_rates(thread), Step.PUBLISHING, (), {}).charges
    assert charge.units == 3


class Application:
    """An application's budget, with publications that wait for it and are brought in batches."""

    def __init__(self, maximum: int) -> None:
        self.budget = Budget()
        self.limit = rate(maximum, timedelta(hours=1), Per.APPLICATION)
        self.waiting: list[Ask] = []
        self.served: Counter[UUID] = Counter()

    def come(self, workspace_id: UUID, posts: int) -> None:
        self.waiting += [ask(self.limit, workspace_id=workspace_id) for _ in range(posts)]

    def batch(self, asks: list[Ask], now: datetime = NOW) -> None:
        here = {id(each) for each in asks}
        elsewhere = Counter(each.workspace for each in self.waiting if id(each) not in here)
        queues = {("bluesky", Step.PUBLISHING): Waiting(of_workspace=elsewhere, ready=elsewhere)}
        books = Books({each.publication.connection_id: Budget() for each in asks}, {"bluesky": self.budget})
        for each, shortage in zip(asks, share(asks, books, queues, now), strict=True):
            if shortage is None:
                self.served[each.publication.workspace_id] += 1
                self.waiting.remove(each)
            else:
                assert now <= shortage.earliest <= shortage.until

    def rounds(self, size: int, now: datetime = NOW) -> None:
        """Everybody looks once, the longest waiting first."""
        everybody = list(self.waiting)
        for start in range(0, len(everybody), size):
            self.batch(everybody[start : start + size], now)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 40), st.integers(1, 10))
def test_what_is_short_is_shared_evenly_whoever_comes_first(backlogs: list[int], maximum: int, size: int):
    application = Application(maximum)
    workspaces = [new_id() for _ in backlogs]
    for workspace_id, posts in zip(workspaces, backlogs, strict=True):
        application.come(workspace_id, posts)
    application.rounds(size)
    application.rounds(size)
    assert sum(application.served.values()) == min(maximum, sum(backlogs))
    short = [
        workspace
        for workspace, posts in zip(workspaces, backlogs, strict=True)
        if application.served[workspace] < posts
    ]
    assert all(application.served[workspace] + 1 >= max(application.served.values()) for workspace in short)


def test_a_newcomer_waits_for_no_backlog_and_makes_up_for_nothing():
    application, first, second = Application(10), new_id(), new_id()
    application.come(first, 200)
    application.rounds(64)
    assert application.served[first] == 10
    application.come(second, 200)
    application.rounds(64, NOW + timedelta(hours=2))
    application.rounds(64, NOW + timedelta(hours=2))
    assert (application.served[first], application.served[second]) == (15, 5)


def test_one_that_always_has_one_post_keeps_nobody_out():
    application, backlog, trickle = Application(1), UUID(int=9), UUID(int=1)
    application.come(backlog, 50)
    for hour in range(20):
        if not any(each.publication.workspace_id == trickle for each in application.waiting):
            application.come(trickle, 1)
        application.rounds(8, NOW + timedelta(hours=2 * hour))
        application.rounds(8, NOW + timedelta(hours=2 * hour))
    assert abs(application.served[backlog] - application.served[trickle]) <= 1


def test_turns_are_forgotten_when_nobody_waits():
    application = Application(10)
    application.come(new_id(), 12)
    application.rounds(64)
    assert application.budget.turns is not None
    application.rounds(64, NOW + timedelta(hours=2))
    assert application.waiting == []
    assert application.budget.turns is None


def test_a_closed_budget_holds_back_its_step_only():
    until = NOW + timedelta(minutes=5)
    closed = Budget(closed={Step.PUBLISHING: Closure(until, "rate_limited")})
    publishing = ask(rate(5))
    staging = Ask(publication(connection_id=publishing.publication.connection_id), Bill("bluesky", Step.STAGING, ()))
    books = Books({publishing.publication.connection_id: closed}, {"bluesky": Budget()})
    shortage, free = share([publishing, staging], books, {}, NOW)
    assert shortage is not None
    assert (shortage.until, free) == (until, None)
    assert share([publishing], books, {}, until) == [None]


def test_of_one_connection_each_is_told_its_own_time():
    connection_id, workspace_id = new_id(), new_id()
    limit = rate(2, timedelta(hours=1))
    asks = [ask(limit, workspace_id=workspace_id, connection_id=connection_id) for _ in range(6)]
    books = Books({connection_id: Budget()}, {"bluesky": Budget()})
    answers = share(asks, books, {}, NOW)
    assert answers[:2] == [None, None]
    times = [each.until for each in answers[2:] if each]
    assert times[0] == times[1] < times[2] == times[3]
    assert all(each is None or each.earliest == times[0] for each in answers)


def test_who_waits_for_a_budget_looks_once_more_at_the_end_of_its_window():
    limit = rate(1, timedelta(hours=2))
    connection_id, workspace_id = new_id(), new_id()
    books = Books({connection_id: Budget()}, {"bluesky": Budget()})
    asks = [ask(limit, workspace_id=workspace_id, connection_id=connection_id) for _ in range(3)]
    answers = share(asks, books, {}, NOW)
    assert answers[2] is not None
    window = NOW + timedelta(hours=3)
    waits = wait_for_budget(publication(publish_until=window), NOW, answers[2])
    assert (waits.state, waits.code, waits.next_at) == (State.STAGED, "budget", window)
    missed = wait_for_budget(publication(publish_until=NOW + timedelta(hours=1)), NOW, answers[2])
    assert (missed.state, missed.code) == (State.MISSED, "budget")


def test_what_was_spent_counts_from_the_beginning_of_its_window_on():
    assert Meter(rate(1, timedelta(hours=1)), {}).counted_since(NOW) == NOW - timedelta(hours=1)
    # Two o'clock in the morning there.
    assert Meter(rate(1, zone=PACIFIC), {}).counted_since(NOW) == NOW - timedelta(hours=2)


def test_who_is_due_before_is_counted_into_what_will_be_short():
    limit = rate(3, timedelta(hours=1))
    row = publication(due=False, state=State.PLANNED)
    ahead = Ask(row, Bill("bluesky", Step.STAGING, (), (Charge(limit, 1),)))
    books = Books({row.connection_id: Budget()}, {"bluesky": Budget()})
    books.connections[row.connection_id].take(Charge(limit, 1), NOW, instead_of=None)
    assert foresee(ahead, books, {"posts": 1}) is None
    short = foresee(ahead, books, {"posts": 2})
    assert short is not None
    assert short.earliest == NOW < short.until <= NOW + timedelta(hours=2)
    assert "will be used up" in short.detail
