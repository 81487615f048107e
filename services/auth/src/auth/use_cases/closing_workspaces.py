"""Delete a workspace: its connections end first, then everything in it is to be forgotten.

The decision is the owner's and is taken in the workspace's scope. From then on nobody gets in and the rest is the
system's work, finished by a loop if need be, in the worker's scope and narrowed to the workspace.
"""

from __future__ import annotations

import uuid
from uuid import UUID

import structlog
from contracts.access import Permission
from contracts.auth import WorkspaceDeletedV1
from contracts.retention import SubjectKind
from kit.database import Scope
from kit.passport import Caller

from auth.domain.connections import FLIGHT
from auth.ports.store import Transactions
from auth.ports.vault import Platforms, Vault
from auth.use_cases.closing import STUCK_AT_ONCE_MAX, OpenedErasure, end_all
from auth.use_cases.members import hold_as
from auth.use_cases.presence import check_recent

log = structlog.get_logger("closing_workspaces")


async def delete_workspace(
    transactions: Transactions, *, workspace_id: UUID, caller: Caller, platforms: Platforms, vault: Vault
) -> list[OpenedErasure]:
    """The erasure that is opened. From the commit on nobody is a member of the workspace."""
    async with transactions(Scope.workspace(workspace_id, caller.account)) as store:
        await hold_as(store, workspace_id, caller.account, Permission.WORKSPACE_DELETE)
        await check_recent(store, caller)
        now = store.now()
        await store.workspaces.close(workspace_id, at=now, until=now + FLIGHT)
    return await _finish(transactions, workspace_id, platforms=platforms, vault=vault)


async def finish_stuck_workspaces(transactions: Transactions, *, platforms: Platforms, vault: Vault) -> int:
    """Complete what a crash left half deleted; returns how many there were."""
    async with transactions(Scope.worker()) as store:
        now = store.now()
        stuck = await store.workspaces.claim_closing(now=now, until=now + FLIGHT, limit=STUCK_AT_ONCE_MAX)
    for workspace_id in stuck:
        await _finish(transactions, workspace_id, platforms=platforms, vault=vault)
    return len(stuck)


async def _finish(
    transactions: Transactions, workspace_id: UUID, *, platforms: Platforms, vault: Vault
) -> list[OpenedErasure]:
    async with transactions(Scope.worker()) as store:
        connection_ids = await store.workspaces.open_connections(workspace_id)
    await end_all(transactions, connection_ids, platforms=platforms, vault=vault)
    async with transactions(Scope.worker()) as store:
        if not await store.workspaces.closed(workspace_id):
            return []
        erasure = OpenedErasure(uuid.uuid4(), SubjectKind.WORKSPACE)
        store.emit(WorkspaceDeletedV1(workspace_id=workspace_id, erasure_id=erasure.erasure_id))
    log.info("workspace_deleted", workspace_id=str(workspace_id))
    return [erasure]
