"""A publication: one revision on its way to one connection, and the moves its state machine allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.scheduler import WHEN_MISSED_HOLD
from kit.problems import NotFound

from publisher.domain.words import ADVICE, TAKEN_BACK_BEGUN

STAGE_AHEAD = timedelta(minutes=10)
"""How long before its time a publication is staged: enough for a large video, short enough to be current."""


LEASE = timedelta(seconds=20)
"""A publication whose worker died is taken over after this."""


class State(StrEnum):
    """Where a publication stands. The README has the table of moves."""

    PLANNED = "planned"
    STAGING = "staging"
    STAGED = "staged"
    PUBLISHING = "publishing"
    PROCESSING = "processing"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PUBLISHED = "published"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    MISSED = "missed"
    CANCELLED = "cancelled"


_S = State

MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _S.PLANNED: frozenset({_S.STAGING, _S.FAILED, _S.MISSED, _S.CANCELLED}),
        # A receipt can arrive after its attempt was judged absent; what is out is out.
        _S.STAGING: frozenset({_S.PLANNED, _S.STAGED, _S.PUBLISHED, _S.FAILED, _S.MISSED, _S.CANCELLED}),
        _S.STAGED: frozenset({_S.PLANNED, _S.PUBLISHING, _S.PUBLISHED, _S.FAILED, _S.MISSED, _S.CANCELLED}),
        _S.PUBLISHING: frozenset({_S.PUBLISHED, _S.PROCESSING, _S.OUTCOME_UNKNOWN, _S.STAGING, _S.FAILED, _S.MISSED}),
        _S.PROCESSING: frozenset({_S.PUBLISHED, _S.STAGING, _S.FAILED, _S.MISSED, _S.NEEDS_ATTENTION}),
        _S.OUTCOME_UNKNOWN: frozenset(
            {_S.PUBLISHED, _S.PROCESSING, _S.STAGING, _S.FAILED, _S.MISSED, _S.NEEDS_ATTENTION}
        ),
        # What a person says: it is there, try again, give up.
        _S.NEEDS_ATTENTION: frozenset({_S.PUBLISHED, _S.STAGING, _S.FAILED}),
        _S.MISSED: frozenset({_S.PUBLISHED, _S.STAGING, _S.FAILED}),
        _S.FAILED: frozenset({_S.STAGING}),
        _S.PUBLISHED: frozenset(),
        _S.CANCELLED: frozenset(),
    }
)

BEFORE_INTENT = frozenset({_S.PLANNED, _S.STAGING, _S.STAGED})
"""Nothing visible can have happened; the publication can still be taken back."""

ENDED = frozenset({_S.PUBLISHED, _S.FAILED, _S.NEEDS_ATTENTION, _S.MISSED, _S.CANCELLED})

GIVEN_UP = ENDED - {_S.PUBLISHED}
"""It is not out, as far as is known, and nothing more is done for it without a person."""

LATE_MAX = timedelta(hours=72)
"""Where nobody set a window, a post is held or retried over a weekend, not longer: nobody expects last week's post."""


class IllegalMove(Exception):
    """The state machine has no such move. A defect: no input can cause it."""


class PublicationNotFound(NotFound):
    title = "There is no such publication in this workspace"


@dataclass(frozen=True)
class Publication:
    """One row. `next_at` is when a worker looks at it again (None: not before something happens to it).

    `attempts` counts intents, `failures` steps in a row that came to nothing. `attempted_at` is when the last
    intent was written. `code`, `detail` and `advice` say why it stands where it stands. `claim` is the worker
    that has it now. `trace` is the trace that its next step continues (a W3C `traceparent`). `paid` is
    what it has paid of its platform's rates and when: the slot, by `Bill.key`.
    """

    publication_id: UUID
    workspace_id: UUID
    schedule_id: UUID
    occurrence: int
    post_id: UUID
    revision_id: UUID
    connection_id: UUID
    due_at: datetime
    created_at: datetime
    publish_until: datetime | None = None
    when_missed: str = WHEN_MISSED_HOLD
    platform: str | None = None
    state: State = State.PLANNED
    due: bool = False
    held: bool = False
    next_at: datetime | None = None
    attempts: int = 0
    forgiven: int = 0
    failures: int = 0
    content_hash: str | None = None
    media_verified: bool = False
    staged_at: datetime | None = None
    attempted_at: datetime | None = None
    published_at: datetime | None = None
    platform_post_id: str | None = None
    url: str | None = None
    evidence: Mapping[str, Any] | None = None
    code: str | None = None
    detail: str | None = None
    advice: str | None = None
    claim: UUID | None = None
    leased_until: datetime | None = None
    trace: str | None = None
    paid: Mapping[str, int] | None = None

    @property
    def ended(self) -> bool:
        """Nothing more will be done for it."""
        return self.state in ENDED and self.next_at is None

    @property
    def tries(self) -> int:
        """Attempts since a person last said to try again."""
        return self.attempts - self.forgiven

    @property
    def resumable(self) -> bool:
        """What was done at the platform so far may be needed again."""
        return not self.ended or self.state in (State.FAILED, State.MISSED, State.NEEDS_ATTENTION)

    @property
    def window_ends_at(self) -> datetime:
        """It does not begin to be visible after this."""
        return self.publish_until or self.due_at + LATE_MAX

    @classmethod
    def stored(cls, columns: Mapping[str, Any]) -> Publication:
        """A row as it was written, with all its columns. Four of these are made for each post of a burst, and setting
        34 frozen fields one by one takes five times as long."""
        publication = object.__new__(cls)
        vars(publication).update(columns, state=State(columns["state"]))
        return publication

    def _with(self, **changes: Any) -> Publication:
        """As `replace`, for what a burst does often."""
        publication = object.__new__(Publication)
        vars(publication).update(vars(self), **changes)
        return publication

    def become(self, state: State, **changes: Any) -> Publication:
        """Move to another state; raises `IllegalMove`. The reason of the old state is dropped with it."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"{self.state} does not become {state}")
        return self._with(**({"code": None, "detail": None, "advice": None} | changes), state=state)

    def mark_due(self, now: datetime, trace: str | None = None) -> Publication:
        """Its time has come: the next steps continue `trace`. What has to wait for other reasons goes on waiting."""
        if self.due or self.state in ENDED:
            return self
        if self.state not in BEFORE_INTENT:
            return self._with(due=True)
        waits = self.held or self.state is State.STAGING
        return self._with(due=True, next_at=(self.next_at or now) if waits else now, trace=trace or self.trace)

    def move(self, due_at: datetime, publish_until: datetime | None, when_missed: str, now: datetime) -> Publication:
        """Give it another time, if its time had not come. What is staged stays in the journal."""
        if self.due or self.state not in BEFORE_INTENT:
            return self
        moved = replace(self, due_at=due_at, publish_until=publish_until, when_missed=when_missed)
        if self.state is not State.PLANNED:
            if stage_at(due_at, now) == now:
                return moved
            moved = moved.become(State.PLANNED, code=self.code, detail=self.detail, advice=self.advice)
        return replace(moved, next_at=stage_at(due_at, now), claim=None, leased_until=None)

    def pause(self) -> Publication:
        """Nothing visible begins until it is due again. What is staged stays in the journal.

        What the platform is being told just now comes to its end; if that is a refusal, it waits too.
        """
        if self.state in ENDED:
            return self
        paused = replace(self, due=False)
        if self.state not in BEFORE_INTENT:
            return paused
        if self.state is not State.PLANNED:
            paused = paused.become(State.PLANNED, code=self.code, detail=self.detail, advice=self.advice)
        return replace(paused, next_at=None, claim=None, leased_until=None)

    def released(self) -> Publication:
        """Nobody works on it any more."""
        return self._with(claim=None, leased_until=None)

    def cancel(self, code: str) -> Publication:
        """Take it back if nothing visible can have happened; otherwise it stays as it is."""
        if self.state not in BEFORE_INTENT:
            return self
        advice = ADVICE[TAKEN_BACK_BEGUN] if self.attempts else None
        cancelled = self.become(State.CANCELLED, code=code, advice=advice, next_at=None, held=False)
        return cancelled.released()


def stage_at(due_at: datetime, now: datetime) -> datetime:
    return max(due_at - STAGE_AHEAD, now)
