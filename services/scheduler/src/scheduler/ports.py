"""What the scheduler's use cases need from outside: its rows, content's revisions, auth's connections."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from contracts.event import Event
from contracts.sealing import SealedRevision
from kit.passport import Reach

from scheduler.domain.blackouts import Blackout
from scheduler.domain.calendar import Page, Place, Wanted
from scheduler.domain.duplicates import Duplicate
from scheduler.domain.forecast import Standing
from scheduler.domain.lookahead import Held
from scheduler.domain.queues import Queue
from scheduler.domain.schedule import Announced, Schedule
from scheduler.domain.series import Series
from scheduler.domain.spread import Crowd, Neighbour


@dataclass(frozen=True)
class DueTarget:
    """One connection of a schedule that was to go out, and what the scheduler believes came of it."""

    workspace_id: UUID
    schedule_id: UUID
    connection_id: UUID
    due_at: datetime
    schedule_state: str
    state: str
    publication_id: UUID | None


class SeriesStore(Protocol):
    """The series that the unit of work may see."""

    async def add_series(self, series: Series) -> None: ...

    async def save_series(self, series: Series) -> None:
        """Write what can change: connections, state, reason, how far it was followed."""

    async def find_series(self, series_id: UUID) -> Series | None: ...

    async def lock_series(self, series_id: UUID) -> Series | None:
        """The series, held until the unit of work ends."""

    async def lock_next_series(self, now: datetime) -> Series | None:
        """The series that has waited longest for being looked at and that nobody else looks at, held."""

    async def newest_series(self, limit: int, reach: Reach) -> list[Series]:
        """The latest made first."""

    async def count_open_series(self) -> int: ...

    async def lock_series_of(
        self,
        workspace_id: UUID,
        *,
        post_id: UUID | None = None,
        revision_id: UUID | None = None,
        connection_id: UUID | None = None,
        paused_because: str | None = None,
        reach: Reach = None,
    ) -> list[Series]:
        """Series of a workspace that are not cancelled, narrowed by what is given, and held."""

    async def pending_of_series(self, series_id: UUID) -> list[datetime]:
        """The times of its schedules that have not come, in order."""

    async def open_of_series(self, series_id: UUID) -> list[Schedule]:
        """Its schedules that are not at an end, in order."""

    async def lock_open_of_series(self, series_id: UUID, *, from_number: int = 1) -> list[Schedule]:
        """Its schedules from this occurrence on that are not at an end, held."""


class SpreadStore(Protocol):
    """How close posts of one connection may stand, as the unit of work sees it."""

    async def spread(self, workspace_id: UUID) -> timedelta:
        """The workspace's rule: at least so far apart. Zero if there is none."""

    async def keep_spread(self, workspace_id: UUID, apart: timedelta) -> None: ...

    async def lock_connections(self, connection_ids: Collection[UUID]) -> None:
        """Until the unit of work ends, nobody else chooses a time for these connections.

        Called once for all of them; again only for some of those that are held by then.
        """

    async def closest(self, crowd: Crowd, to: datetime) -> Neighbour | None:
        """What stands closest to this time and is closer than may be."""

    async def busy(self, crowd: Crowd, *, since: datetime, until: datetime) -> list[datetime]:
        """When something stands that is too close to some time of the period, in order."""


class QueueStore(SpreadStore, Protocol):
    """The queues that the unit of work may see."""

    async def keep_queue(self, queue: Queue) -> None:
        """In place of the one that the connection had."""

    async def find_queue(self, connection_id: UUID) -> Queue | None: ...

    async def free_of(self, connection_id: UUID, times: Sequence[datetime], spread: timedelta) -> set[datetime]:
        """Those of the times on which nothing of this connection stands, nor closer to them than `spread`."""


class DuplicateStore(Protocol):
    """What connections get, as hashes, as far as the unit of work sees it."""

    async def duplicates(self, schedule: Schedule, hashes: Mapping[UUID, str]) -> list[Duplicate]:
        """What is planned, due or published with the same content near it: one a connection, the nearest in time."""

    async def keep_content(self, schedules: Sequence[Schedule], hashes: Mapping[UUID, str]) -> None:
        """Note the content of schedules that were added, as far as it is known."""

    async def hold_post(self, workspace_id: UUID, post_id: UUID) -> None:
        """Hold all schedules of a post, those at an end too."""

    async def forget_content(self, workspace_id: UUID, post_id: UUID) -> None:
        """Keep nothing of what a post said in its schedules, which are held by then."""

    async def forget_series_content(self, workspace_id: UUID, post_id: UUID) -> None:
        """Nor in its series, before schedules are held."""


class BlackoutStore(Protocol):
    """When nothing is to go out, as the unit of work sees it."""

    async def heed_blackouts(self, workspace_id: UUID) -> None:
        """Until the unit of work ends, the workspace gets no new blackout.

        Called when the rows that are changed are held, and before connections are: README, "Who waits for whom".
        """

    async def lock_blackouts(self, workspace_id: UUID) -> None:
        """Until the unit of work ends, nobody plans by the blackouts that there were."""

    async def blackouts(self, workspace_id: UUID) -> list[Blackout]:
        """All of them, the earliest first."""

    async def blackouts_near(self, workspace_id: UUID, since: datetime, until: datetime) -> list[Blackout]:
        """Those that may touch a period, and perhaps others."""

    async def add_blackouts(self, blackouts: Sequence[Blackout]) -> None: ...

    async def remove_blackouts(self, blackout_ids: Collection[UUID]) -> None: ...

    async def planned_within(
        self, ranges: Sequence[tuple[datetime, datetime]], *, after: Place, limit: int
    ) -> list[Schedule]:
        """The earliest schedules behind a place that are due in one of the ranges and whose time has not come."""


class Store(SeriesStore, QueueStore, DuplicateStore, BlackoutStore, Protocol):
    """The schedules that the unit of work may see."""

    def emit(self, event: Event) -> UUID: ...

    async def add(self, schedules: Sequence[Schedule]) -> None: ...

    async def find(self, schedule_id: UUID) -> Schedule | None: ...

    async def page(self, wanted: Wanted, limit: int) -> Page:
        """At most so many of the wanted schedules, in the order of their times."""

    async def planned(self, *, until: datetime, connection_id: UUID | None, limit: int) -> list[Schedule]:
        """Schedules that are not at an end and due until then (to this connection), the earliest first."""

    async def due_between(self, since: datetime, until: datetime, *, after: UUID | None, limit: int) -> list[DueTarget]:
        """Every connection of at most `limit` schedules of the period, whatever their state, the earliest first."""

    async def due_of(self, schedule_ids: Collection[UUID]) -> list[DueTarget]:
        """Every connection of these schedules, whenever they are due."""

    async def lock(self, schedule_id: UUID) -> Schedule | None:
        """The schedule, held until the unit of work ends."""

    async def lock_all(self, schedule_ids: Collection[UUID]) -> list[Schedule]:
        """Those of them that are there, held likewise."""

    async def lock_open(
        self,
        workspace_id: UUID,
        *,
        post_id: UUID | None = None,
        revision_id: UUID | None = None,
        connection_id: UUID | None = None,
    ) -> list[Schedule]:
        """Schedules of a workspace that are not at an end, narrowed by what is given, and held."""

    async def stay_alive(self, holder: UUID, seconds: float) -> bool:
        """Keep what this scheduler holds for so long, by the database's clock; false if it was not alive until now."""

    async def hold_until(self, last: datetime, *, overdue: datetime | None, holder: UUID, limit: int) -> list[Held]:
        """Hold schedules that are due until `last` and no living scheduler holds, the earliest first.

        Those that were due by `overdue` whoever holds them.
        """

    async def let_go(self, holder: UUID, schedule_ids: Collection[UUID] | None = None) -> None:
        """Hold these no longer, or nothing."""

    async def announce(self, schedule_ids: Sequence[UUID], *, holder: UUID, now: datetime) -> list[Announced]:
        """Make those of them due whose time has come, that wait and that this scheduler still holds; the earliest
        first."""

    async def save(self, schedule: Schedule) -> None:
        """Write what can change: state, reason, targets."""

    async def reschedule(self, schedules: Sequence[Schedule]) -> None:
        """Write times and windows that were changed. No clock holds these schedules any more: it asks anew."""

    async def lock_resolved_before(self, zone_version: str, *, limit: int) -> list[Schedule]:
        """Schedules before their time that an earlier release of the time zone database was used for, held."""

    async def keep_zone_version(self, schedule_ids: Sequence[UUID], zone_version: str) -> None: ...

    async def mark(self, schedules: Sequence[Schedule]) -> None:
        """Write state and reason of many schedules whose targets stay as they are. No clock holds them any more."""

    async def running(self, workspace_id: UUID, *, reach: Reach, limit: int) -> list[UUID]:
        """Schedules that can be paused, all of whose connections are within reach, the soonest first."""

    async def paused(self, workspace_id: UUID, reason: str, *, reach: Reach, limit: int) -> list[UUID]:
        """Schedules that were paused for this reason, likewise."""

    async def save_all(self, schedules: Sequence[Schedule]) -> None:
        """Write what can change of many."""


class Connections(Protocol):
    """Connections as auth knows them."""

    async def of_workspace(self, workspace_id: UUID) -> Mapping[UUID, Standing]:
        """Those that have not ended. Raises `kit.problems.Unavailable` if auth does not answer."""


class Revisions(Protocol):
    """Revisions as content seals them."""

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision | None:
        """None if there is no such revision. Raises `kit.problems.Unavailable` if content does not answer."""
