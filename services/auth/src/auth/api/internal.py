"""What other services ask of auth: grants on loan, and which connections a workspace has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import msgspec
from contracts.leases import DeadGrant, LeaseAnswer, LeaseRequest, LeaseReturn
from kit.database import Scope
from kit.passport import Caller, service
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler
from platforms.shape import PlatformName

from auth.domain.connections import Brief
from auth.domain.lending import PURPOSES, purpose_of
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, SealFor, Vault
from auth.use_cases.leasing import lend, take_back
from auth.use_cases.refreshing import take_for_dead

_BORROWERS = tuple(PURPOSES)


class Briefs(msgspec.Struct, frozen=True):
    connections: list[Brief]


def internal_routes(
    transactions: Transactions, platforms: Platforms, vault: Vault, seal_for: SealFor, nudge: Callable[[], None]
) -> list[ControllerRouterHandler]:
    """Routes that the gateway never passes on."""

    @post("/internal/leases", guards=[service(*_BORROWERS)], status_code=200)
    async def lend_grants(caller: NamedDependency[Caller], data: JSONBody[LeaseRequest]) -> LeaseAnswer:
        return await lend(
            transactions,
            connection_ids=data.connection_ids,
            borrower=str(caller.service),
            purpose=purpose_of(str(caller.service), data.purpose),
            vault=vault,
            seal_for=seal_for,
            nudge=nudge,
        )

    @post("/internal/leases/returns", guards=[service(*_BORROWERS)], status_code=204)
    async def take_back_leases(caller: NamedDependency[Caller], data: JSONBody[LeaseReturn]) -> None:
        async with transactions(Scope.worker()) as store:
            await take_back(store, lease_ids=data.lease_ids, borrower=str(caller.service))

    @post("/internal/connections/{connection_id:uuid}/dead", guards=[service(*_BORROWERS)], status_code=204)
    async def report_dead_grant(connection_id: FromPath[UUID], data: JSONBody[DeadGrant]) -> None:
        await take_for_dead(
            transactions,
            connection_id,
            code=data.code,
            generation=data.generation,
            platforms=platforms,
            vault=vault,
        )

    @get("/internal/workspaces/{workspace_id:uuid}/connections", guards=[service("content", "scheduler")])
    async def show_briefs(workspace_id: FromPath[UUID]) -> Briefs:
        async with transactions(Scope.workspace(workspace_id)) as store:
            briefs = await store.connections.briefs(workspace_id)
        return Briefs(
            [replace(brief, platform_ends_on=platforms.ends_on(PlatformName(brief.platform))) for brief in briefs]
        )

    return [lend_grants, take_back_leases, report_dead_grant, show_briefs]
