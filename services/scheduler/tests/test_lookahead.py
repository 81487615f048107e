"""The next minute is held in memory by whoever is alive; neither a death nor a leap of the clock skips or repeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.database import Database, Scope, Units
from kit.secret import Secret
from kit.testing import wait_for
from opentelemetry.sdk.trace import TracerProvider
from scheduler import ports
from scheduler.adapters.store import Store
from scheduler.domain.lookahead import Held, Lookahead
from scheduler.jobs.clockwork import OVERDUE, Clockwork

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
CONNECTIONS = 3


class LeapingClock:
    """A machine's clock that is set, forward and backward."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class Tower:
    """A scheduler's database without the bus: what was announced lies in the outbox."""

    clock: LeapingClock
    units: Units[ports.Store]
    rows: psycopg.Connection[Any]

    def clockwork(self) -> Clockwork:
        return Clockwork(self.units, self.clock, TracerProvider().get_tracer("scheduler"))

    def schedule(self, due_at: datetime, held_by: UUID | None = None) -> UUID:
        schedule_id = uuid4()
        self.rows.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at, held_by) VALUES (%s, %s, %s, %s, now(), 'UTC', 'none', %s, 'scheduled', now(),"
            " %s)",
            (schedule_id, uuid4(), uuid4(), uuid4(), due_at, held_by),
        )
        self.rows.execute(
            "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)"
            " SELECT schedule_id, gen_random_uuid(), workspace_id, 0, 'waiting' FROM schedule WHERE schedule_id = %s",
            (schedule_id,),
        )
        return schedule_id

    def says_alive(self, holder: UUID, ago: timedelta) -> None:
        self.rows.execute("INSERT INTO clockwork VALUES (%s, now() - %s::interval)", (holder, ago))

    async def is_waited_for(self) -> bool:
        """Whether somebody waits for what we have locked."""
        waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        (found,) = self.rows.execute(waiting).fetchone() or (False,)
        return bool(found)

    async def cut_off(self) -> None:
        """End every session of the scheduler, as an administrator does; its pool learns of each when it uses it."""
        async with AsyncExitStack() as stack:
            for _ in range(CONNECTIONS):
                await stack.enter_async_context(self.units(Scope.worker()))
        self.rows.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'scheduler'"
        )

    def announced(self) -> list[UUID]:
        subjects = self.rows.execute("SELECT headers ->> 'ce-subject' FROM outbox ORDER BY id").fetchall()
        return [UUID(subject) for (subject,) in subjects]


@pytest.fixture
async def tower(environment: dict[str, str]) -> AsyncIterator[Tower]:
    clock = LeapingClock()
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=CONNECTIONS)
    await database.open()
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"], autocommit=True) as rows:
        yield Tower(clock, Units[ports.Store](database, Store), rows)
    await database.close()


async def go(*clockworks: Clockwork, steps: int = 4) -> None:
    for _ in range(steps):
        for clockwork in clockworks:
            clockwork.wake()
            await clockwork.loop().step()


@pytest.mark.promise("P43")
async def test_a_clock_that_leaps_neither_skips_nor_repeats(tower: Tower):
    clockwork = tower.clockwork()
    soon, later = tower.schedule(tower.clock.now() + MINUTE / 2), tower.schedule(tower.clock.now() + 20 * MINUTE)
    await go(clockwork)
    tower.clock.offset = -10 * MINUTE
    await go(clockwork)
    assert tower.announced() == []
    tower.clock.offset = MINUTE
    await go(clockwork)
    assert tower.announced() == [soon]
    tower.clock.offset = -MINUTE
    await go(clockwork)
    tower.clock.offset = 21 * MINUTE
    await go(clockwork)
    assert tower.announced() == [soon, later]


@pytest.mark.promise("P43")
async def test_what_a_dead_scheduler_held_is_taken_over_and_what_a_living_one_holds_is_left(tower: Tower):
    dead, alive, unheard_of = uuid4(), uuid4(), uuid4()
    tower.says_alive(dead, ago=timedelta(seconds=1))
    tower.says_alive(alive, ago=-timedelta(hours=1))
    now = tower.clock.now()
    orphans = {tower.schedule(now - MINUTE, held_by=dead), tower.schedule(now - MINUTE, held_by=unheard_of)}
    tower.schedule(now - OVERDUE / 2, held_by=alive)
    await go(tower.clockwork())
    assert set(tower.announced()) == orphans


@pytest.mark.promise("P43")
async def test_what_a_living_scheduler_forgot_is_taken_over_when_it_is_overdue(tower: Tower):
    """Whatever made it forget: it may be late, but never lost."""
    clockwork, other = tower.clockwork(), uuid4()
    tower.says_alive(other, ago=-timedelta(hours=1))
    ours, others = tower.schedule(tower.clock.now()), tower.schedule(tower.clock.now(), held_by=other)
    await clockwork.loop().step()
    tower.rows.execute(
        "UPDATE schedule SET state = 'scheduled', held_by = (SELECT holder FROM clockwork"
        " WHERE holder <> %s) WHERE schedule_id = %s",
        (other, ours),
    )
    await go(clockwork)
    assert tower.announced() == [ours]
    tower.clock.offset = OVERDUE
    await go(clockwork)
    assert sorted(tower.announced()[1:]) == sorted([ours, others])


async def test_what_was_moved_or_taken_back_is_not_announced_although_it_is_held(tower: Tower):
    clockwork = tower.clockwork()
    moved, cancelled, kept = (tower.schedule(tower.clock.now() + MINUTE / 2) for _ in range(3))
    await go(clockwork)
    tower.rows.execute("UPDATE schedule SET due_at = due_at + interval '1 day' WHERE schedule_id = %s", (moved,))
    tower.rows.execute("UPDATE schedule SET state = 'cancelled' WHERE schedule_id = %s", (cancelled,))
    tower.clock.offset = MINUTE
    await go(clockwork)
    assert tower.announced() == [kept]
    tower.clock.offset = timedelta(days=1, minutes=1)
    await go(clockwork)
    assert tower.announced() == [kept, moved]


async def test_a_connection_that_is_taken_back_while_its_time_comes_is_not_announced(tower: Tower):
    """Whoever takes it back holds the schedule until all is written, and the clock waits for that."""
    clockwork = tower.clockwork()
    tower.schedule(tower.clock.now() + MINUTE / 2)
    await go(clockwork)
    tower.clock.offset = MINUTE
    with tower.rows.transaction():
        tower.rows.execute("SELECT FROM schedule FOR UPDATE")
        announcing = asyncio.ensure_future(clockwork.loop().step())
        await wait_for(tower.is_waited_for, 5, what="the clock")
        tower.rows.execute("UPDATE target SET state = 'cancelled'")
    await announcing
    (body,) = tower.rows.execute("SELECT convert_from(body, 'UTF8')::json -> 'connection_ids' FROM outbox").fetchall()
    assert body == ([],)


async def test_what_is_moved_by_seconds_is_announced_at_its_new_time(tower: Tower):
    clockwork = tower.clockwork()
    moved = tower.schedule(tower.clock.now() + MINUTE / 2)
    await go(clockwork)
    tower.rows.execute("UPDATE schedule SET due_at = due_at + interval '10 seconds', held_by = NULL")
    tower.clock.offset = timedelta(seconds=35)
    await clockwork.loop().step()
    assert tower.announced() == []
    tower.clock.offset = timedelta(seconds=41)
    # Without being woken: it looks anew because what it held was not due.
    for _ in range(2):
        await clockwork.loop().step()
    assert tower.announced() == [moved]


async def test_what_was_being_announced_when_every_session_was_cut_off_is_announced_after_that(tower: Tower):
    """Nobody else takes it over, because we go on saying that we are alive."""
    clockwork = tower.clockwork()
    due = tower.schedule(tower.clock.now() + MINUTE / 2)
    await go(clockwork)
    tower.clock.offset = MINUTE / 2
    await tower.cut_off()
    # The first step announces; later ones are woken.
    with pytest.raises(psycopg.OperationalError):
        await clockwork.loop().step()
    failures = 1
    for _ in range(CONNECTIONS + 2):
        try:
            await go(clockwork, steps=1)
        except psycopg.OperationalError:
            failures += 1
    assert failures == CONNECTIONS
    assert tower.announced() == [due]


async def test_what_was_held_when_the_answer_was_lost_is_announced_all_the_same(
    tower: Tower, monkeypatch: pytest.MonkeyPatch
):
    @asynccontextmanager
    async def unanswered(scope: Scope) -> AsyncIterator[ports.Store]:
        async with tower.units(scope) as store:
            yield store
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    clockwork = tower.clockwork()
    due = tower.schedule(tower.clock.now())
    with monkeypatch.context() as patch, suppress(psycopg.OperationalError):
        patch.setattr(clockwork, "_units", unanswered)
        await clockwork.loop().step()
    assert tower.rows.execute("SELECT held_by IS NOT NULL FROM schedule").fetchall() == [(True,)]
    await go(clockwork)
    assert tower.announced() == [due]


async def test_two_share_the_work_and_announce_each_once(tower: Tower):
    everything = [tower.schedule(tower.clock.now() + MINUTE / 2) for _ in range(20)]
    first, second = tower.clockwork(), tower.clockwork()
    await go(first, second)
    tower.clock.offset = MINUTE
    await go(first, second)
    assert sorted(tower.announced()) == sorted(everything)


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(0, 60), st.integers(1, 7))
def test_what_is_held_comes_out_in_order_of_its_time_and_not_before(seconds: list[int], at: int, limit: int):
    lookahead = Lookahead()
    everything = [Held(NOW + timedelta(seconds=second), uuid4()) for second in seconds]
    lookahead.hold(everything)
    now, out = NOW + timedelta(seconds=at), []
    while due := lookahead.take_due(now, limit):
        assert len(due) <= limit
        out += due
    times = {held.schedule_id: held.due_at for held in everything}
    assert [times[each] for each in out] == sorted(held.due_at for held in everything if held.due_at <= now)
    assert lookahead.next_due_at() == _earliest(held.due_at for held in everything if held.due_at > now)


def _earliest(times: Iterable[datetime]) -> datetime | None:
    return min(times, default=None)
