"""Which planned posts will fail, and why: what is planned, held against how long each connection lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from scheduler.domain.schedule import Schedule

MARGIN = timedelta(minutes=1)
"""A post that is due within the last minute of a connection does not get out before its end."""

AHEAD = timedelta(days=30)
"""How far a forecast looks if nobody says how far."""

SCHEDULES_MAX = 1_000
"""Planned posts that one forecast looks at, the earliest first."""


class Cause(StrEnum):
    """Why a post will not go out.

    `renewal_failing`: the platform does not renew the access just now; it may do so in time.
    """

    REAUTHORISATION_NEEDED = "reauthorisation_needed"
    CONNECTION_GONE = "connection_gone"
    CONNECTION_ENDS = "connection_ends"
    RENEWAL_FAILING = "renewal_failing"
    PLATFORM_VERSION_ENDS = "platform_version_ends"


@dataclass(frozen=True)
class Standing:
    """How long a connection lasts, as auth tells it.

    `ends_at`: its end unless a person authorises again. `expires_at`: that of its present token, which matters while
    `failing_since` says that it is not renewed. `platform_ends_on`: from then on the platform does not understand us.
    """

    connection_id: UUID
    platform: str
    state: str
    ends_at: datetime | None
    failing_since: datetime | None
    expires_at: datetime | None
    platform_ends_on: date | None


@dataclass(frozen=True)
class Failure:
    """One post that will not go out to one connection. `since` is when its cause begins; None: it has already."""

    schedule_id: UUID
    post_id: UUID
    connection_id: UUID
    platform: str | None
    due_at: datetime
    cause: Cause
    since: datetime | None


def forecast(schedules: Iterable[Schedule], standings: Mapping[UUID, Standing]) -> Iterator[Failure]:
    """In the order of the schedules."""
    for schedule in schedules:
        for connection_id in schedule.waiting():
            standing = standings.get(connection_id)
            found = cause_at(standing, schedule.due_at)
            if found is not None:
                yield Failure(
                    schedule.schedule_id,
                    schedule.post_id,
                    connection_id,
                    standing.platform if standing else None,
                    schedule.due_at,
                    *found,
                )


def cause_at(standing: Standing | None, due_at: datetime) -> tuple[Cause, datetime | None] | None:
    """Why nothing could go out at this time, and since when; None if nothing is known to be in the way."""
    if standing is None or standing.state == "ending":
        return Cause.CONNECTION_GONE, None
    if standing.state == "reauth_required":
        return Cause.REAUTHORISATION_NEEDED, None
    if standing.ends_at and standing.ends_at <= due_at + MARGIN:
        return Cause.CONNECTION_ENDS, standing.ends_at
    if standing.failing_since and standing.expires_at and standing.expires_at <= due_at + MARGIN:
        return Cause.RENEWAL_FAILING, standing.expires_at
    if standing.platform_ends_on:
        ends_at = datetime.combine(standing.platform_ends_on, time(), UTC)
        if ends_at <= due_at + MARGIN:
            return Cause.PLATFORM_VERSION_ENDS, ends_at
    return None
