"""The HTTP edge: members read numbers; nobody writes any."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope, Units
from kit.passport import Caller, permission
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from metrics.domain import WITHHELD, Performance, Withheld
from metrics.ports import Store
from metrics.use_cases.read import read_performances, read_snapshots


class SnapshotBody(msgspec.Struct, frozen=True):
    taken_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None


class WithheldBody(msgspec.Struct, frozen=True):
    """Why the platform tells no numbers, or no newer ones: a word for programs, sentences for people."""

    code: Withheld
    detail: str
    advice: str


class PublicationMetrics(msgspec.Struct, frozen=True):
    publication_id: UUID
    withheld: WithheldBody | None
    snapshots: list[SnapshotBody]


class PerformanceBody(msgspec.Struct, frozen=True):
    publication_id: UUID
    connection_id: UUID
    post_id: UUID
    platform: str
    published_at: datetime
    state: str
    withheld: WithheldBody | None
    taken_at: datetime | None
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None


class WorkspaceMetrics(msgspec.Struct, frozen=True):
    publications: list[PerformanceBody]


def routes(units: Units[Store]) -> list[ControllerRouterHandler]:
    @get(
        "/api/workspaces/{workspace_id:uuid}/publications/{publication_id:uuid}/metrics",
        guards=[permission(Permission.METRICS_READ)],
    )
    async def publication_metrics(
        workspace_id: FromPath[UUID], publication_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> PublicationMetrics:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            snapshots, withheld = await read_snapshots(publication_id, store, reach=caller.reach)
        told = [msgspec.convert(s, SnapshotBody, from_attributes=True) for s in snapshots]
        return PublicationMetrics(publication_id, _withheld(withheld), told)

    @get("/api/workspaces/{workspace_id:uuid}/metrics", guards=[permission(Permission.METRICS_READ)])
    async def workspace_metrics(workspace_id: FromPath[UUID], caller: NamedDependency[Caller]) -> WorkspaceMetrics:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            performances = await read_performances(workspace_id, store, reach=caller.reach)
        return WorkspaceMetrics([_performance(performance) for performance in performances])

    return [publication_metrics, workspace_metrics]


def _performance(performance: Performance) -> PerformanceBody:
    return PerformanceBody(**vars(performance) | {"withheld": _withheld(performance.withheld)})


def _withheld(withheld: Withheld | None) -> WithheldBody | None:
    if withheld is None:
        return None
    reason = WITHHELD[withheld]
    return WithheldBody(withheld, reason.detail, reason.advice)
