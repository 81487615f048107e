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

from metrics.ports import Store
from metrics.use_cases.read import read_performances, read_snapshots


class SnapshotBody(msgspec.Struct, frozen=True):
    taken_at: datetime
    views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    impressions: int | None


class PublicationMetrics(msgspec.Struct, frozen=True):
    publication_id: UUID
    snapshots: list[SnapshotBody]


class PerformanceBody(msgspec.Struct, frozen=True):
    publication_id: UUID
    connection_id: UUID
    post_id: UUID
    platform: str
    published_at: datetime
    state: str
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
            snapshots = await read_snapshots(publication_id, store, reach=caller.reach)
        return PublicationMetrics(
            publication_id, [msgspec.convert(s, SnapshotBody, from_attributes=True) for s in snapshots]
        )

    @get("/api/workspaces/{workspace_id:uuid}/metrics", guards=[permission(Permission.METRICS_READ)])
    async def workspace_metrics(workspace_id: FromPath[UUID], caller: NamedDependency[Caller]) -> WorkspaceMetrics:
        async with units(Scope.workspace(workspace_id, caller.account)) as store:
            performances = await read_performances(workspace_id, store, reach=caller.reach)
        return WorkspaceMetrics([msgspec.convert(p, PerformanceBody, from_attributes=True) for p in performances])

    return [publication_metrics, workspace_metrics]
