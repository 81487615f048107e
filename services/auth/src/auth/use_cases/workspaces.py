"""Open a workspace, list one's own, add people to one."""

from __future__ import annotations

from uuid import UUID

from contracts.access import Role
from contracts.auth import MemberAddedV1, WorkspaceCreatedV1
from kit.database import Scope
from kit.ids import new_id
from kit.problems import NotFound

from auth.domain.accounts import check_time_zone, normalised
from auth.domain.workspaces import AccountUnknown, AlreadyMember, Member, OwnWorkspace
from auth.ports.store import Store, Transactions


async def create_workspace(transactions: Transactions, *, account_id: UUID, name: str, time_zone: str) -> UUID:
    """A new workspace's id; whoever creates it owns it."""
    check_time_zone(time_zone)
    workspace_id = new_id()
    async with transactions(Scope.workspace(workspace_id, account_id)) as store:
        now = store.now()
        await store.workspaces.add(workspace_id, name=name, time_zone=time_zone, at=now)
        await store.workspaces.add_member(workspace_id, account_id, Role.OWNER, at=now)
        store.emit(WorkspaceCreatedV1(workspace_id=workspace_id, account_id=account_id))
        store.emit(MemberAddedV1(workspace_id=workspace_id, account_id=account_id, role=Role.OWNER))
    return workspace_id


async def add_member(store: Store, *, workspace_id: UUID, email: str, role: Role) -> UUID:
    """The account that is a member now. Raises `AccountUnknown`, `AlreadyMember`."""
    if not await store.workspaces.is_open(workspace_id):
        raise NotFound()
    account_id = await store.accounts.id_of(normalised(email))
    if account_id is None:
        raise AccountUnknown()
    if not await store.workspaces.add_member(workspace_id, account_id, role, at=store.now()):
        raise AlreadyMember()
    store.emit(MemberAddedV1(workspace_id=workspace_id, account_id=account_id, role=role))
    return account_id


async def list_own_workspaces(store: Store, account_id: UUID) -> list[OwnWorkspace]:
    return list(await store.workspaces.of_account(account_id))


async def list_members(store: Store, workspace_id: UUID) -> list[Member]:
    return list(await store.workspaces.members(workspace_id))
