"""Whether a person may (still) manage the connections of a workspace."""

from __future__ import annotations

from uuid import UUID

from contracts.access import PERMISSIONS, Permission
from kit.problems import Forbidden, NotFound

from auth.ports.store import Store


async def check_permission(store: Store, workspace_id: UUID, account_id: UUID) -> None:
    """The role can have changed while the person was away at the platform."""
    if not await store.workspaces.is_open(workspace_id):
        raise NotFound()
    role = await store.members.role_of(workspace_id, account_id)
    if role is None or Permission.CONNECTION_MANAGE not in PERMISSIONS[role]:
        raise Forbidden(Permission.CONNECTION_MANAGE)
