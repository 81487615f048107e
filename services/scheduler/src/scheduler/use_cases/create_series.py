"""A person lets an approved revision go out again and again; a preview shows when, before anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.scheduler import WHEN_MISSED_HOLD
from kit.ids import new_id
from kit.problems import Invalid
from kit.telemetry import current_traceparent

from scheduler.domain.rule import YEAR, Occurrence, Rule, RuleRefused, refuse_unless_sensible
from scheduler.domain.schedule import LATE_DEFAULT
from scheduler.domain.series import OPEN_MAX, Series, TooManySeries
from scheduler.ports import Revisions, Store
from scheduler.use_cases.approval import check_plan
from scheduler.use_cases.timing import fault, instant, known_zone
from scheduler.use_cases.unfold_series import unfold

PREVIEWED = 20
"""Occurrences that a preview shows: a month of a post on every weekday."""


@dataclass(frozen=True)
class Repetition:
    """When something happens again and again. `starts_at` is naive local time in `time_zone`."""

    rule: str
    starts_at: datetime
    time_zone: str


@dataclass(frozen=True)
class SeriesWish:
    """What a person asks for."""

    workspace_id: UUID
    account_id: UUID
    post_id: UUID
    revision_id: UUID
    connection_ids: tuple[UUID, ...]
    repetition: Repetition
    late: timedelta = LATE_DEFAULT
    when_missed: str = WHEN_MISSED_HOLD
    despite_blackouts: bool = False


def preview(repetition: Repetition, *, now: datetime) -> list[Occurrence]:
    """The first occurrences of a rule that would be taken. Raises `Invalid`, `InThePast`."""
    rule, in_zone = check_repetition(repetition, now=now)
    return list(islice(rule.occurrences(in_zone, last=now + 2 * YEAR), PREVIEWED))


def check_repetition(repetition: Repetition, *, now: datetime) -> tuple[Rule, ZoneInfo]:
    """The rule and its zone. Raises `Invalid` for a rule that is not taken, `InThePast`."""
    in_zone = known_zone(repetition.time_zone)
    instant(repetition.starts_at, in_zone, now=now, pointer="/starts_at")
    try:
        rule = Rule.parse(repetition.rule, repetition.starts_at)
        refuse_unless_sensible(rule, in_zone, now=now)
    except RuleRefused as refusal:
        raise Invalid(errors=[fault("/rule", str(refusal))]) from None
    return rule, in_zone


async def check_series(
    wish: SeriesWish, *, reaches: Callable[[UUID], bool], revisions: Revisions, now: datetime
) -> Series:
    """The series that a wish makes. Raises the problem to tell the person. `reaches`: which connections are there.

    Asks content, so it is done before the unit of work is opened.
    """
    check_repetition(wish.repetition, now=now)
    revision = await check_plan(wish, reaches=reaches, revisions=revisions)
    hashes = revision.variant_hashes()
    return Series(
        series_id=new_id(),
        workspace_id=wish.workspace_id,
        post_id=wish.post_id,
        revision_id=wish.revision_id,
        connection_ids=wish.connection_ids,
        rule=wish.repetition.rule,
        starts_at=wish.repetition.starts_at,
        time_zone=wish.repetition.time_zone,
        late=wish.late,
        when_missed=wish.when_missed,
        created_by=wish.account_id,
        created_at=now,
        next_at=now,
        trace=current_traceparent(),
        despite_blackouts=wish.despite_blackouts,
        content_hashes={connection_id: hashes[connection_id] for connection_id in wish.connection_ids},
    )


async def create_series(series: Series, *, store: Store, now: datetime) -> Series:
    """Keep the series and write it out as far as people look. Raises `TooManySeries`."""
    if await store.count_open_series() >= OPEN_MAX:
        raise TooManySeries()
    await store.add_series(series)
    return await unfold(series, store=store, now=now)
