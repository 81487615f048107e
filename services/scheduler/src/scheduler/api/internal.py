"""What other services ask the scheduler for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from kit.database import Scope, Units
from kit.passport import service
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from scheduler.ports import DueTarget, Store

SCHEDULES_MAX = 2_000
"""Schedules in one answer: some hundred kilobytes."""


class DueBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A period, from `since` until before `until`. `after`: what follows this schedule in the order of the answers."""

    since: datetime
    until: datetime
    after: UUID | None = None


class NamesBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    schedule_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=SCHEDULES_MAX)]


class DueList(msgspec.Struct, frozen=True):
    """`next`: what to go on after; null at the end."""

    due: list[DueTarget]
    next: UUID | None


def routes(units: Units[Store]) -> list[HTTPRouteHandler]:
    @post("/internal/due", guards=[service("publisher")], operation_id="ListDue", status_code=200)
    async def due(data: JSONBody[DueBody]) -> DueList:
        async with units(Scope.worker()) as store:
            found = await store.due_between(data.since, data.until, after=data.after, limit=SCHEDULES_MAX)
        schedules = {target.schedule_id for target in found}
        return DueList(found, found[-1].schedule_id if len(schedules) == SCHEDULES_MAX else None)

    @post("/internal/due/of", guards=[service("publisher")], operation_id="ShowDue", status_code=200)
    async def of(data: JSONBody[NamesBody]) -> DueList:
        async with units(Scope.worker()) as store:
            return DueList(await store.due_of(data.schedule_ids), None)

    return [due, of]
