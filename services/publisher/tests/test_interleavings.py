"""Every order in which the publisher's commits can follow each other, as far as chance finds them.

Workers, events, a person, a clock that leaps and deaths are interleaved at the commits on a real database: whatever
the order, a post is shown once at most, and what became of it is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from itertools import count, pairwise
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from contracts.scheduler import (
    ScheduleCancelledV1,
    ScheduleChangedV1,
    ScheduleCreatedV1,
    ScheduleDueV1,
    SchedulePausedV1,
    ScheduleResumedV1,
)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kit.clock import MovableClock
from kit.database import Scope
from kit.ids import new_id
from kit.keys import TrustedKeys
from publisher import ports
from publisher.domain.answers import Answer, answers_to
from publisher.domain.connection import Connection, ConnectionState
from publisher.domain.publication import LEASE, MOVES, Publication, State
from publisher.jobs.lanes import PUBLISHING_STATES, STAGING_STATES
from publisher.use_cases.answer_publication import answer_publication
from publisher.use_cases.cancel_publications import cancel_of_schedule
from publisher.use_cases.follow_connection import follow_connection
from publisher.use_cases.plan_publications import mark_due, move_publications, pause_publications, plan_publications

from services.publisher.tests.ground import Ground, laid_ground
from services.publisher.tests.neighbours import Content
from services.publisher.tests.stepping import FATES, Access, Shown, Worker, claim_of

WORKERS_MAX = 3
MOMENT = timedelta(milliseconds=10)

STOPS = ("call", "answer", "end", "transaction", "search")
"""Where a worker may be left standing: before and after the call that shows the post, nowhere, before its next commit,
before it looks for the post."""

TOLD = ("due",) * 6 + ("planned", "moved", "paused", "resumed", "access_changed", "cancelled")
"""Mostly what lets it go on: not much can happen any more to what was taken back."""

TOLD_EVERY = 25
"""Orders, which take a second each: so often is said how far it is."""

TURNS_TO_REST = 60
"""More steps than any publication has between it and its end, if all goes well."""

WITHOUT_EFFECT = frozenset({State.PLANNED, State.STAGING, State.STAGED, State.FAILED, State.MISSED, State.CANCELLED})
"""States that say that nothing of the post is visible."""


class Interleaving(RuleBasedStateMachine):
    """One publication, up to three workers that were given it one after the other, and everybody who has a say."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another post of another workspace."""
        self.access, self.shown = Access(), Shown()
        self.workers: list[Worker] = []
        self.workspace_id, self.schedule_id, self.connection_id = new_id(), new_id(), new_id()
        self.revision = self.ground.content.approve(self.workspace_id, (self.connection_id,))
        self.ground.revisions.current = self.revision
        self.due_at = self.ground.clock.now() + timedelta(seconds=4)
        self.taken_back = False
        self.row: Publication | None = None

    def do(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self.ground.runner.run(awaited())

    def tell(self, use_case: Callable[..., Awaitable[None]], *about: Any, timed: bool = True) -> None:
        """Let an event take effect: its transaction is one commit."""

        async def told() -> None:
            now = {"now": self.ground.clock.now()} if timed else {}
            async with self.ground.units(Scope.worker()) as store:
                await use_case(*about, store=store, **now)

        self.do(told())

    def plan(self) -> dict[str, Any]:
        return self.when() | {
            "post_id": self.revision.post_id,
            "revision_id": self.revision.revision_id,
            "connection_ids": (self.connection_id,),
        }

    def when(self) -> dict[str, Any]:
        return self.which() | {"due_at": self.due_at}

    def which(self) -> dict[str, Any]:
        return {"workspace_id": self.workspace_id, "schedule_id": self.schedule_id, "occurrence": 1}

    @initialize()
    def begun(self) -> None:
        """Most orders that matter begin with a post that only waits to be shown."""
        self.due()
        self.do(self._claim())
        self.walk(self.workers[0], "end")

    @rule(known=st.booleans())
    @precondition(lambda self: not self.workers and self.row is not None and self.row.ended)
    def another(self, known: bool) -> None:
        """At an end there is nothing more to see, so that the next one begins."""
        self.begin_anew()
        self.begun() if known else self.planned()

    @rule(told=st.sampled_from(TOLD))
    @precondition(lambda self: self.workers or not self.row.ended)
    def heard(self, told: str) -> None:
        """What scheduler or auth tells takes effect."""
        getattr(self, told)()

    def planned(self) -> None:
        self.tell(plan_publications, ScheduleCreatedV1(**self.plan()))

    def due(self) -> None:
        self.tell(mark_due, [ScheduleDueV1(**self.plan())])

    def moved(self) -> None:
        self.due_at = self.ground.clock.now() + timedelta(minutes=2)
        self.tell(move_publications, [ScheduleChangedV1(**self.when())])

    def paused(self) -> None:
        self.tell(pause_publications, [SchedulePausedV1(**self.which(), reason="by_person")], timed=False)

    def resumed(self) -> None:
        self.tell(move_publications, [ScheduleResumedV1(**self.when())])

    def cancelled(self) -> None:
        if not self.taken_back:
            self.taken_back = True
            told = ScheduleCancelledV1(**self.which(), connection_ids=(), reason="by_person")
            self.tell(cancel_of_schedule, told, timed=False)

    def access_changed(self) -> None:
        """auth tells of the connection: that it is dead, works again, or ends when nobody has its grant any more."""
        match self.access.refusal:
            case "reauth_required":
                self.follow(ConnectionState.REAUTH_REQUIRED)
                self.access.refusal = None
                self.follow(ConnectionState.ACTIVE)
            case "revoked" if not self.access.is_out(self.ground.now()):
                self.follow(ConnectionState.REVOKED)
            case None:
                self.access.refusal = "revoked"

    def follow(self, state: ConnectionState) -> None:
        self.tell(follow_connection, Connection(self.connection_id, self.workspace_id, "bluesky", state))

    @rule(wait=st.booleans(), until=st.sampled_from(STOPS))
    @precondition(lambda self: len(self.workers) < WORKERS_MAX and not self.row.ended)
    def claimed(self, wait: bool, until: str) -> None:
        """Another worker takes it, perhaps when it may be taken, and works well until it comes to a place."""
        if wait and self.row is not None and self.row.next_at is not None:
            self.reach(max(self.row.next_at, self.row.leased_until or self.row.next_at))
        known = len(self.workers)
        self.do(self._claim())
        if len(self.workers) > known:
            self.walk(self.workers[-1], until)

    def reach(self, moment: datetime) -> None:
        self.ground.clock.advance(max(moment - self.ground.clock.now(), timedelta()) + MOMENT)

    def walk(self, worker: Worker, until: str) -> None:
        while not worker.done and worker.where != until:
            self.do(self._work(worker, "well"))

    async def _claim(self) -> None:
        leased_until = self.ground.clock.now() + LEASE
        found = await claim_of(
            self.ground.means.work, STAGING_STATES | PUBLISHING_STATES, self.workspace_id, leased_until
        )
        if found is not None:
            worker = Worker(found, self.ground.means, self.access, self.shown, self.ground.now)
            self.workers.append(worker)
            await worker.arrived()
        self.workers = [worker for worker in self.workers if not worker.done]

    @rule(which=st.integers(0, WORKERS_MAX - 1), until=st.sampled_from(STOPS), fate=st.sampled_from(FATES))
    @precondition(lambda self: self.workers)
    def worked(self, which: int, until: str, fate: str) -> None:
        """A worker goes on from where it stands, which ends as fate will, and then well until it comes to a place."""
        worker = self.workers[which % len(self.workers)]
        self.do(self._work(worker, fate))
        self.walk(worker, until)

    async def _work(self, worker: Worker, fate: str) -> None:
        await worker.go_on(fate)
        self.workers = [each for each in self.workers if not each.done]

    @rule(which=st.integers(0, WORKERS_MAX - 1))
    @precondition(lambda self: self.workers)
    def died(self, which: int) -> None:
        self.do(self.workers.pop(which % len(self.workers)).die())

    @rule(answer=st.sampled_from(Answer))
    @precondition(lambda self: self.row is not None and self.row.state in (State.NEEDS_ATTENTION, State.FAILED))
    def answered(self, answer: Answer) -> None:
        """A person who looked at the platform says what is so."""
        assert self.row is not None
        now = self.ground.clock.now()
        if answer not in answers_to(self.row, now) or (answer is Answer.IS_THERE) is not bool(self.shown.effects):
            return
        self.tell(self._answer, self.row.publication_id, answer)

    async def _answer(self, publication_id: UUID, answer: Answer, *, store: ports.Store, now: Any) -> None:
        await answer_publication(publication_id, answer, by=new_id(), url=None, store=store, now=now)

    @invariant()
    def holds(self) -> None:
        before, effects = self.row, self.shown.effects
        self.row, history, attempts = self.do(self._read())
        assert effects <= 1, "it was shown twice"
        if self.row is None:
            assert not effects
            return
        state = self.row.state
        assert not effects or state not in WITHOUT_EFFECT, f"it is out, and said to be {state}"
        assert effects or state is not State.PUBLISHED, "it is said to be out"
        assert effects <= attempts == self.row.attempts
        assert history[-1] == state
        for old, new in pairwise(history):
            assert new == old or State(new) in MOVES[State(old)], f"{old} became {new}"
        if before is not None and before.state in (State.CANCELLED, State.PUBLISHED):
            assert state is before.state

    async def _read(self) -> tuple[Publication | None, list[str], int]:
        async with self.ground.units(Scope.worker()) as store:
            rows = await store.lock_of_schedules([self.schedule_id])
            if not rows:
                return None, [], 0
            (row,) = rows
            history = (await store.histories([row.publication_id]))[row.publication_id]
            return row, [entry.state for entry in history], len(await store.attempts(row.publication_id))

    def teardown(self) -> None:
        """Left alone it comes to an end, and who stood still all the time changes nothing about it any more."""
        late, self.workers = self.workers, []
        if self.access.refusal == "reauth_required":
            self.access_changed()
            self.holds()
        for _ in range(TURNS_TO_REST):
            if self.row is None or self.row.next_at is None:
                break
            self.claimed(wait=True, until="end")
            self.holds()
        else:
            raise AssertionError(f"it never comes to an end: {self.row}")
        end = self.row
        for worker in late:
            self.walk(worker, "end")
            self.holds()
        assert self.row == end or (self.row is not None and self.row.state is State.PUBLISHED)


@pytest.fixture
def ground(
    environment: dict[str, str],
    clock: MovableClock,
    content: Content,
    trusted: TrustedKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ground]:
    with laid_ground(environment, clock, content, trusted) as laid:
        # Whoever stands still for the clock's leap stands still for as much of the time that bounds requests.
        for module in ("platforms.http", "publisher.use_cases.publish_publication"):
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=laid.now))
        yield laid


def _run(
    ground: Ground, *, examples: int, steps: int, always_the_same: bool, told: Callable[[int], None] = lambda _: None
) -> None:
    """`told` is called with the number of orders that were tried, after each."""
    numbers = count(1)

    class OnGround(Interleaving):
        def teardown(self) -> None:
            super().teardown()
            told(next(numbers))

    OnGround.ground = ground
    run_state_machine_as_test(
        OnGround,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=always_the_same,
            database=None,
            # An order is short as it is found; making it shorter takes minutes of a database's time.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.promise("P43")
@pytest.mark.promise("P35")
def test_in_no_order_of_commits_is_a_post_shown_twice_or_after_it_was_taken_back(ground: Ground):
    _run(ground, examples=40, steps=25, always_the_same=True)


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.promise("P43")
def test_in_many_orders_of_commits_no_post_is_shown_twice(ground: Ground):
    def told(number: int) -> None:
        if number % TOLD_EVERY == 0:
            print(f"{number} orders of commits: in none was the post shown twice, or denied", flush=True)  # noqa: T201

    _run(ground, examples=300, steps=40, always_the_same=False, told=told)


@pytest.mark.promise("P43")
def test_who_stood_still_before_the_call_does_not_make_it_when_another_may_have(ground: Ground):
    """A process that is stopped between its intent and its call, and goes on when another has looked and repeated."""
    order = type("OnGround", (Interleaving,), {"ground": ground})()
    order.due()
    order.claimed(wait=False, until="end")
    order.claimed(wait=False, until="call")
    for _ in ("found interrupted", "looked for", "staged again", "shown"):
        order.holds()
        order.claimed(wait=True, until="end")
    assert order.shown.effects == 1
    order.worked(which=0, until="end", fate="well")
    order.holds()
    order.teardown()
