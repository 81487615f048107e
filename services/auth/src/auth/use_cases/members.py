"""Change what members are, remove them, leave, hand a workspace on.

Each of these holds the workspace's row, so that two of them at once take turns: no two owners step down together. What
the caller may is looked up again then, for their passport can be a minute old.
"""

from __future__ import annotations

from uuid import UUID

from contracts.access import PERMISSIONS, Permission, Role, covers
from contracts.auth import MemberRemovedV1, MemberRoleChangedV1
from kit.passport import Caller
from kit.problems import Forbidden, NotFound

from auth.domain.letters import Letter, LetterKind
from auth.domain.workspaces import LastOwner, check_may_give
from auth.ports.store import Store
from auth.use_cases.presence import check_recent


async def hold_as(store: Store, workspace_id: UUID, account_id: UUID, needed: Permission) -> Role:
    """What the caller is in the workspace, which nobody else changes meanwhile.

    Raises `NotFound`, `Forbidden`.
    """
    if not await store.workspaces.hold(workspace_id):
        raise NotFound()
    role = await store.members.role_of(workspace_id, account_id)
    if role is None:
        raise NotFound()
    if needed not in PERMISSIONS[role]:
        raise Forbidden(needed)
    return role


async def change_role(store: Store, *, workspace_id: UUID, by: UUID, account_id: UUID, role: Role) -> None:
    """Raises `NotFound`, `Forbidden`, `RoleBeyondOwn`, `LastOwner`."""
    own = await hold_as(store, workspace_id, by, Permission.MEMBER_MANAGE)
    present = await _role_of(store, workspace_id, account_id)
    check_may_give(own, present, role)
    if role is not Role.OWNER:
        await _check_another_owner(store, workspace_id, account_id)
    if role is not present:
        await _make(store, workspace_id, account_id, role)


async def remove_member(store: Store, *, workspace_id: UUID, by: UUID, account_id: UUID) -> None:
    """End a membership: one's own, or as who manages members anybody's whose role is not beyond one's own."""
    leaving = account_id == by
    own = await hold_as(store, workspace_id, by, Permission.WORKSPACE_READ if leaving else Permission.MEMBER_MANAGE)
    check_may_give(own, await _role_of(store, workspace_id, account_id))
    await _check_another_owner(store, workspace_id, account_id)
    await store.invitations.void(workspace_id, account_id, list(Role))
    await store.members.remove(workspace_id, account_id)
    store.emit(MemberRemovedV1(workspace_id=workspace_id, account_id=account_id))


async def transfer_ownership(store: Store, *, workspace_id: UUID, caller: Caller, account_id: UUID) -> None:
    """Make another member the owner in one's place; who hands it on stays as an admin, and both are told by letter."""
    await hold_as(store, workspace_id, caller.account, Permission.OWNERSHIP_TRANSFER)
    await check_recent(store, caller)
    present = await _role_of(store, workspace_id, account_id)
    if account_id == caller.account:
        return
    if present is not Role.OWNER:
        await _make(store, workspace_id, account_id, Role.OWNER)
    await _make(store, workspace_id, caller.account, Role.ADMIN)
    await _write_to_both(store, workspace_id, caller.account, account_id)


async def _role_of(store: Store, workspace_id: UUID, account_id: UUID) -> Role:
    role = await store.members.role_of(workspace_id, account_id)
    if role is None:
        raise NotFound()
    return role


async def _check_another_owner(store: Store, workspace_id: UUID, account_id: UUID) -> None:
    if list(await store.members.owners(workspace_id)) == [account_id]:
        raise LastOwner()


async def _make(store: Store, workspace_id: UUID, account_id: UUID, role: Role) -> None:
    await store.members.set_role(workspace_id, account_id, role)
    # Nobody comes in as more than who invited them now is.
    beyond = [each for each in Role if not covers(role, each) or Permission.MEMBER_MANAGE not in PERMISSIONS[role]]
    await store.invitations.void(workspace_id, account_id, beyond)
    store.emit(MemberRoleChangedV1(workspace_id=workspace_id, account_id=account_id, role=role))


async def _write_to_both(store: Store, workspace_id: UUID, old_owner: UUID, new_owner: UUID) -> None:
    workspace = await store.workspaces.find(workspace_id)
    members = {member.account_id: member for member in await store.members.of_workspace(workspace_id)}
    facts = {"workspace": workspace.name if workspace else "", "owner": members[new_owner].called}
    for account_id in (old_owner, new_owner):
        await store.letters.add(
            Letter(
                LetterKind.OWNERSHIP_TRANSFERRED,
                members[account_id].email,
                account_id=account_id,
                workspace_id=workspace_id,
                facts=facts,
            ),
            at=store.now(),
        )
