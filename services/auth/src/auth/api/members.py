"""Members of a workspace and invitations to it over HTTP."""

from __future__ import annotations

from uuid import UUID

import msgspec
from contracts.access import Permission
from kit.database import Scope
from kit.passport import Caller, permission, person
from kit.secret import Secret
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from auth.api.bodies import AcceptanceBody, InvitationBody, OwnershipBody, RoleBody
from auth.domain.invitations import Invitation
from auth.domain.workspaces import ShownMember
from auth.ports.store import Transactions
from auth.use_cases import invitations
from auth.use_cases.invitations import Joined
from auth.use_cases.members import change_role, remove_member, transfer_ownership
from auth.use_cases.workspaces import list_members

_WORKSPACE = "/api/workspaces/{workspace_id:uuid}"
_MEMBER = _WORKSPACE + "/members/{account_id:uuid}"
_INVITATION = _WORKSPACE + "/invitations/{invitation_id:uuid}"


class Members(msgspec.Struct, frozen=True):
    members: list[ShownMember]


class Invitations(msgspec.Struct, frozen=True):
    invitations: list[Invitation]


def member_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """See, change and remove members; leave; hand a workspace on."""

    @get(f"{_WORKSPACE}/members", guards=[permission(Permission.WORKSPACE_READ)])
    async def show_members(workspace_id: FromPath[UUID], caller: NamedDependency[Caller]) -> Members:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return Members(await list_members(store, workspace_id, caller))

    @patch(_MEMBER, guards=[permission(Permission.MEMBER_MANAGE)], status_code=204)
    async def give_role(
        workspace_id: FromPath[UUID],
        account_id: FromPath[UUID],
        caller: NamedDependency[Caller],
        data: JSONBody[RoleBody],
    ) -> None:
        async with transactions(Scope.workspace(workspace_id)) as store:
            await change_role(
                store, workspace_id=workspace_id, by=caller.account, account_id=account_id, role=data.role
            )

    # Whoever sees the workspace may leave it; the use case says who may remove others.
    @delete(_MEMBER, guards=[permission(Permission.WORKSPACE_READ, session=True)])
    async def end_membership(
        workspace_id: FromPath[UUID], account_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> None:
        async with transactions(Scope.workspace(workspace_id)) as store:
            await remove_member(store, workspace_id=workspace_id, by=caller.account, account_id=account_id)

    @post(f"{_WORKSPACE}/ownership", guards=[permission(Permission.OWNERSHIP_TRANSFER)], status_code=204)
    async def hand_on(
        workspace_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[OwnershipBody]
    ) -> None:
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            await transfer_ownership(store, workspace_id=workspace_id, caller=caller, account_id=data.account_id)

    return [show_members, give_role, end_membership, hand_on]


def invitation_routes(transactions: Transactions) -> list[ControllerRouterHandler]:
    """Invite people, and come in on an invitation."""
    manages = permission(Permission.MEMBER_MANAGE)

    @post(f"{_WORKSPACE}/invitations", guards=[manages])
    async def invite(
        workspace_id: FromPath[UUID], caller: NamedDependency[Caller], data: JSONBody[InvitationBody]
    ) -> Invitation:
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            return await invitations.invite(
                store, workspace_id=workspace_id, by=caller.account, email=data.email, role=data.role
            )

    @get(f"{_WORKSPACE}/invitations", guards=[manages])
    async def show_invitations(workspace_id: FromPath[UUID]) -> Invitations:
        async with transactions(Scope.workspace(workspace_id)) as store:
            return Invitations(await invitations.list_invitations(store, workspace_id))

    @post(f"{_INVITATION}/letters", guards=[manages])
    async def send_again(
        workspace_id: FromPath[UUID], invitation_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> Invitation:
        async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
            return await invitations.send_again(
                store, workspace_id=workspace_id, by=caller.account, invitation_id=invitation_id
            )

    @delete(_INVITATION, guards=[manages])
    async def withdraw(
        workspace_id: FromPath[UUID], invitation_id: FromPath[UUID], caller: NamedDependency[Caller]
    ) -> None:
        async with transactions(Scope.workspace(workspace_id)) as store:
            await invitations.withdraw(store, workspace_id=workspace_id, by=caller.account, invitation_id=invitation_id)

    @post("/api/invitations/acceptances", guards=[person()])
    async def accept(caller: NamedDependency[Caller], data: JSONBody[AcceptanceBody]) -> Joined:
        return await invitations.accept(transactions, account_id=caller.account, token=Secret(data.token))

    return [invite, show_invitations, send_again, withdraw, accept]
