"""Open a workspace, list one's own, see and change one, and see who is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts.access import Permission, Role
from contracts.auth import MemberAddedV1, WorkspaceCreatedV1, WorkspaceUpdatedV1
from kit.database import Scope
from kit.ids import new_id
from kit.passport import Caller
from kit.problems import Forbidden, NotFound, Unauthenticated

from auth.domain.accounts import check_time_zone
from auth.domain.workspaces import OWN_MAX, OwnWorkspace, ShownMember, TooManyWorkspaces, Workspace
from auth.ports.store import Store, Transactions
from auth.use_cases.organisations import organisation_for
from auth.use_cases.presence import check_strong


async def create_workspace(
    transactions: Transactions, *, account_id: UUID, name: str, time_zone: str, organisation_id: UUID | None = None
) -> UUID:
    """A new workspace's id; whoever creates it owns it, in the name of an organisation that they run."""
    check_time_zone(time_zone)
    organisation_id = await organisation_for(
        transactions, account_id=account_id, organisation_id=organisation_id, name=name
    )
    workspace_id = new_id()
    async with transactions(Scope.workspace(workspace_id, account_id)) as store:
        if not await store.organisations.hold_person(account_id):
            raise Unauthenticated()
        if await store.organisations.role_of(organisation_id, account_id) is None:
            raise Forbidden("organisation.admin")
        if len(await store.workspaces.of_account(account_id)) >= OWN_MAX:
            raise TooManyWorkspaces()
        now = store.now()
        await store.workspaces.add(
            workspace_id, organisation_id=organisation_id, name=name, time_zone=time_zone, at=now
        )
        await store.members.add(workspace_id, account_id, Role.OWNER, at=now)
        store.emit(WorkspaceCreatedV1(workspace_id=workspace_id, account_id=account_id))
        store.emit(MemberAddedV1(workspace_id=workspace_id, account_id=account_id, role=Role.OWNER))
    return workspace_id


async def list_own_workspaces(store: Store, account_id: UUID) -> list[OwnWorkspace]:
    return list(await store.workspaces.of_account(account_id))


async def read_workspace(store: Store, workspace_id: UUID) -> Workspace:
    workspace = await store.workspaces.find(workspace_id)
    if workspace is None:
        # Deleted since the passport was issued.
        raise NotFound()
    return workspace


async def change_workspace(
    store: Store, workspace_id: UUID, caller: Caller, changes: Mapping[str, Any], settings: Mapping[str, Any]
) -> Workspace:
    """The workspace with `changes` and `settings` (fields by name) made to it; told if it is another then.

    Who asks others for a second factor has given one: nobody locks themself out. Raises `SecondFactorRequired`.
    """
    if not await store.workspaces.hold(workspace_id):
        raise NotFound()
    before = await read_workspace(store, workspace_id)
    after = replace(before, **changes, settings=replace(before.settings, **settings))
    check_time_zone(after.time_zone)
    if after.settings.second_factor_required:
        await check_strong(store, caller)
    if after != before:
        await store.workspaces.change(after)
        store.emit(WorkspaceUpdatedV1(workspace_id=workspace_id))
    return after


async def list_members(store: Store, workspace_id: UUID, caller: Caller) -> list[ShownMember]:
    manages = caller.may(Permission.MEMBER_MANAGE)
    return [
        ShownMember.of(member, with_email=manages or member.account_id == caller.account_id)
        for member in await store.members.of_workspace(workspace_id)
    ]
