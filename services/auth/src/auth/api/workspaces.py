"""Workspaces and members over HTTP."""

from __future__ import annotations

from uuid import UUID

import msgspec
from contracts.access import Permission, Role
from kit.database import Scope
from kit.passport import Caller, permission, person
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import MemberBody, WorkspaceBody
from auth.domain.workspaces import Member, OwnWorkspace
from auth.ports.store import Transactions
from auth.use_cases.workspaces import add_member, create_workspace, list_members, list_own_workspaces


class NewWorkspace(msgspec.Struct, frozen=True):
    workspace_id: UUID


class OwnWorkspaces(msgspec.Struct, frozen=True):
    workspaces: list[OwnWorkspace]


class NewMember(msgspec.Struct, frozen=True):
    account_id: UUID
    role: Role


class Members(msgspec.Struct, frozen=True):
    members: list[Member]


def workspace_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    @post("/api/workspaces", guards=[person()])
    async def open_workspace(caller: NamedDependency[Caller], data: JSONBody[WorkspaceBody]) -> NewWorkspace:
        workspace_id = await create_workspace(
            transactions, account_id=caller.account, name=data.name, time_zone=data.time_zone
        )
        return NewWorkspace(workspace_id)

    @get("/api/workspaces", guards=[person()])
    async def show_workspaces(caller: NamedDependency[Caller]) -> OwnWorkspaces:
        async with transactions(Scope.account(caller.account)) as store:
            return OwnWorkspaces(await list_own_workspaces(store, caller.account))

    # Within a workspace the scope leaves the person out: what they have elsewhere is not its business.
    @post("/api/workspaces/{workspace_id:uuid}/members", guards=[permission(Permission.MEMBER_MANAGE)])
    async def invite_member(workspace_id: FromPath[UUID], data: JSONBody[MemberBody]) -> NewMember:
        async with transactions(Scope.workspace(workspace_id)) as store:
            account_id = await add_member(store, workspace_id=workspace_id, email=data.email, role=data.role)
        return NewMember(account_id, data.role)

    @get("/api/workspaces/{workspace_id:uuid}/members", guards=[permission(Permission.WORKSPACE_READ)])
    async def show_members(workspace_id: FromPath[UUID]) -> Members:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return Members(await list_members(store, workspace_id))

    return [open_workspace, show_workspaces, invite_member, show_members]
