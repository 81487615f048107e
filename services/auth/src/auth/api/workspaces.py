"""Workspaces over HTTP: open, see, change and delete them."""

from __future__ import annotations

from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope
from kit.passport import Caller, permission, person
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.accounts import OpenedErasures
from auth.api.bodies import WorkspaceBody, WorkspaceChangesBody, given
from auth.domain.workspaces import OwnWorkspace, Workspace
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.closing_workspaces import delete_workspace
from auth.use_cases.workspaces import change_workspace, create_workspace, list_own_workspaces, read_workspace

_WORKSPACE = "/api/workspaces/{workspace_id:uuid}"


class NewWorkspace(msgspec.Struct, frozen=True):
    workspace_id: UUID


class OwnWorkspaces(msgspec.Struct, frozen=True):
    workspaces: list[OwnWorkspace]


def workspace_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    @post("/api/workspaces", guards=[person()])
    async def open_workspace(caller: NamedDependency[Caller], data: JSONBody[WorkspaceBody]) -> NewWorkspace:
        workspace_id = await create_workspace(
            transactions,
            account_id=caller.account,
            name=data.name,
            time_zone=data.time_zone,
            organisation_id=data.organisation_id,
        )
        return NewWorkspace(workspace_id)

    @get("/api/workspaces", guards=[person()])
    async def show_workspaces(caller: NamedDependency[Caller]) -> OwnWorkspaces:
        async with transactions(Scope.account(caller.account)) as store:
            return OwnWorkspaces(await list_own_workspaces(store, caller.account))

    # Within a workspace the scope leaves the person out where it can: what they have elsewhere is not its business.
    @get(_WORKSPACE, guards=[permission(Permission.WORKSPACE_READ)])
    async def show_workspace(workspace_id: FromPath[UUID]) -> Workspace:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return await read_workspace(store, workspace_id)

    @patch(_WORKSPACE, guards=[permission(Permission.WORKSPACE_UPDATE, session=True)])
    async def correct_workspace(
        workspace_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[WorkspaceChangesBody]
    ) -> Workspace:
        changes = given(data)
        settings = changes.pop("settings", None)
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            return await change_workspace(store, workspace_id, caller, changes, given(settings) if settings else {})

    return [open_workspace, show_workspaces, show_workspace, correct_workspace]


def workspace_deletion_routes(
    transactions: Transactions, platforms: Platforms, vault: Vault
) -> list[ControllerRouterHandler]:
    @delete(_WORKSPACE, guards=[permission(Permission.WORKSPACE_DELETE)], status_code=202)
    async def close_workspace(workspace_id: FromPath[UUID], caller: NamedDependency[Caller]) -> OpenedErasures:
        erasures = await delete_workspace(
            transactions, workspace_id=workspace_id, caller=caller, platforms=platforms, vault=vault
        )
        return OpenedErasures(erasures)

    return [close_workspace]
