"""When nothing of a workspace is to go out, and what is planned for then all the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller, permission
from kit.problems import Invalid
from litestar import delete, get, post
from litestar.params import FromQuery, JSONBody
from litestar.types import ControllerRouterHandler

from scheduler.api.parameters import WORKSPACE, ConnectionIds, Id, Known, ZoneName, local, place
from scheduler.domain.blackouts import BLACKOUTS_MAX, Blackout, Window
from scheduler.domain.schedule import HORIZON
from scheduler.ports import Connections, Store
from scheduler.use_cases.blackouts import Clash, Clashes, clashes_with, make_blackouts, remove_blackout, told
from scheduler.use_cases.check_windows import check_windows

BLACKOUTS = WORKSPACE + "/blackouts"

_DAY = timedelta(days=1)
_DAY_CHARACTERS = len("2027-12-24")

Moment = Annotated[str, msgspec.Meta(pattern=r"^[12]\d{3}-\d\d-\d\d(T\d\d:\d\d(:00)?)?$", max_length=19)]
"""A day, or a wall-clock time to the minute."""


class WindowBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A day as its end is part of it. A window that is one day needs no end."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    starts_at: Moment
    ends_at: Moment | None = None
    yearly: bool = False


class MakeBlackouts(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`connection_ids`: the only ones they are for; absent, they are for all."""

    time_zone: ZoneName
    windows: Annotated[list[WindowBody], msgspec.Meta(min_length=1, max_length=BLACKOUTS_MAX)]
    connection_ids: ConnectionIds | None = None

    def made(self) -> list[Window]:
        chosen = None if self.connection_ids is None else tuple(sorted(set(self.connection_ids)))
        return [
            Window(
                name=each.name,
                starts_at=local(each.starts_at, f"/windows/{index}/starts_at"),
                ends_at=_end(each, f"/windows/{index}/ends_at"),
                time_zone=self.time_zone,
                yearly=each.yearly,
                connection_ids=chosen,
            )
            for index, each in enumerate(self.windows)
        ]


class BlackoutView(msgspec.Struct, frozen=True):
    """`connection_ids` null: it is for all. Days are told as days."""

    blackout_id: UUID
    name: str
    starts_at: str
    ends_at: str
    time_zone: str
    yearly: bool
    connection_ids: list[UUID] | None

    @classmethod
    def of(cls, blackout: Blackout) -> BlackoutView:
        window, ids = blackout.window, blackout.window.connection_ids
        starts_at, ends_at = window.starts_at.isoformat(), window.ends_at.isoformat()
        if window.whole_days:
            starts_at, ends_at = (str(each.date()) for each in (window.starts_at, window.ends_at - _DAY))
        chosen = None if ids is None else list(ids)
        return cls(blackout.blackout_id, window.name, starts_at, ends_at, window.time_zone, window.yearly, chosen)


class BlackoutList(msgspec.Struct, frozen=True):
    blackouts: list[BlackoutView]


class ConflictView(msgspec.Struct, frozen=True):
    """A schedule that goes out in these blackouts unless somebody moves or cancels it."""

    schedule_id: UUID
    post_id: UUID
    series_id: UUID | None
    at: str
    time_zone: str
    due_at: datetime
    state: str
    connection_ids: list[UUID]
    blackouts: list[dict[str, object]]

    @classmethod
    def of(cls, clash: Clash) -> ConflictView:
        schedule = clash.schedule
        return cls(
            schedule_id=schedule.schedule_id,
            post_id=schedule.post_id,
            series_id=schedule.series_id,
            at=schedule.at.isoformat(timespec="seconds"),
            time_zone=schedule.time_zone,
            due_at=schedule.due_at,
            state=schedule.state,
            connection_ids=[
                connection_id
                for connection_id in schedule.waiting()
                if any(each.blackout.window.concerns([connection_id]) for each in clash.closures)
            ],
            blackouts=[told(each) for each in clash.closures],
        )


class ConflictList(msgspec.Struct, frozen=True, omit_defaults=True):
    """While there may be more, it is behind `after`."""

    conflicts: list[ConflictView]
    after: str | None = None

    @classmethod
    def of(cls, clashes: Clashes, caller: Caller) -> ConflictList:
        found = caller.reached(clashes.found, lambda each: [target.connection_id for target in each.schedule.targets])
        return cls([ConflictView.of(each) for each in found], None if clashes.next is None else str(clashes.next))


class MadeBlackouts(msgspec.Struct, frozen=True, omit_defaults=True):
    """With what stands in them already, as a page of conflicts."""

    blackouts: list[BlackoutView]
    conflicts: list[ConflictView]
    after: str | None = None


def routes(units: Units[Store], *, connections: Connections, clock: Clock) -> list[ControllerRouterHandler]:
    return [*_making(units, connections, clock), *_reading(units, clock)]


def _making(units: Units[Store], connections: Connections, clock: Clock) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.WORKSPACE_UPDATE)]

    @post(BLACKOUTS, guards=guards, operation_id="makeBlackouts")
    async def make(workspace_id: Id, data: JSONBody[MakeBlackouts], caller: Known) -> MadeBlackouts:
        windows = data.made()
        if not _rules(caller, windows[0]):
            raise Invalid(errors=[{"pointer": "/connection_ids", "detail": "Name connections within your reach."}])
        now = clock.now()
        await check_windows(workspace_id, windows, connection_ids=data.connection_ids, connections=connections, now=now)
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            made = await make_blackouts(workspace_id, windows, store=store, now=now)
            page = ConflictList.of(await clashes_with(made, store=store, now=now), caller)
        return MadeBlackouts([BlackoutView.of(each) for each in made], page.conflicts, page.after)

    @delete(BLACKOUTS + "/{blackout_id:uuid}", guards=guards, operation_id="removeBlackout")
    async def remove(workspace_id: Id, blackout_id: Id, caller: Known) -> None:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            await remove_blackout(workspace_id, blackout_id, rules=lambda window: _rules(caller, window), store=store)

    return [make, remove]


def _reading(units: Units[Store], clock: Clock) -> list[ControllerRouterHandler]:
    guards = [permission(Permission.POST_READ)]

    @get(BLACKOUTS, guards=guards, operation_id="listBlackouts")
    async def list_(workspace_id: Id, caller: Known) -> BlackoutList:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            there = await store.blackouts(workspace_id)
        seen = caller.reached(there, lambda each: each.window.connection_ids or ())
        return BlackoutList([BlackoutView.of(each) for each in seen])

    @get(BLACKOUTS + "/conflicts", guards=guards, operation_id="listConflicts")
    async def conflicts(workspace_id: Id, caller: Known, after: FromQuery[str | None] = None) -> ConflictList:
        behind, now = place("after", after), clock.now()
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            near = await store.blackouts_near(workspace_id, now, now + HORIZON)
            return ConflictList.of(await clashes_with(near, after=behind, store=store, now=now), caller)

    return [list_, conflicts]


def _rules(caller: Caller, window: Window) -> bool:
    """Whether the caller reaches every connection that the window is for: a key may be bound to some."""
    if window.connection_ids is None:
        return caller.reach is None
    return caller.reaches(*window.connection_ids)


def _end(window: WindowBody, pointer: str) -> datetime:
    text = window.ends_at or window.starts_at
    if window.ends_at is None and len(text) > _DAY_CHARACTERS:
        raise Invalid(errors=[{"pointer": pointer, "detail": "Say when it ends; only a whole day needs no end."}])
    end = local(text, pointer)
    return end + _DAY if len(text) == _DAY_CHARACTERS else end
