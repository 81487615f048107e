"""Workspaces and their members in PostgreSQL. Whoever changes who belongs to a workspace holds its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.access import Role
from contracts.auth import RevocationReason
from kit.database import Transaction

from auth.adapters.grants import cancel_authorisations
from auth.domain.workspaces import Member, OwnWorkspace, Workspace, WorkspaceSettings


@dataclass(frozen=True)
class _Row:
    workspace_id: UUID
    organisation_id: UUID
    name: str
    time_zone: str
    voice_guidelines: str
    second_factor_required: bool
    created_at: datetime


class StoredWorkspaces:
    """Implements `auth.ports.workspaces.Workspaces`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, workspace_id: UUID, *, organisation_id: UUID, name: str, time_zone: str, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO workspace (workspace_id, organisation_id, name, time_zone, created_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            (workspace_id, organisation_id, name, time_zone, at),
        )

    async def of_account(self, account_id: UUID) -> list[OwnWorkspace]:
        return await self._transaction.all(
            OwnWorkspace,
            "SELECT w.workspace_id, w.organisation_id, w.name, m.role, w.time_zone"
            " FROM member m JOIN workspace w USING (workspace_id)"
            " WHERE m.account_id = %s AND w.deleted_at IS NULL ORDER BY w.created_at, w.workspace_id",
            (account_id,),
        )

    async def find(self, workspace_id: UUID) -> Workspace | None:
        row = await self._transaction.first(
            _Row,
            "SELECT workspace_id, organisation_id, name, time_zone, voice_guidelines, second_factor_required,"
            " created_at FROM workspace WHERE workspace_id = %s AND deleted_at IS NULL",
            (workspace_id,),
        )
        if row is None:
            return None
        return Workspace(
            workspace_id=row.workspace_id,
            organisation_id=row.organisation_id,
            name=row.name,
            time_zone=row.time_zone,
            voice_guidelines=row.voice_guidelines,
            settings=WorkspaceSettings(row.second_factor_required),
            created_at=row.created_at,
        )

    async def change(self, workspace: Workspace) -> None:
        await self._transaction.execute(
            "UPDATE workspace SET name = %s, time_zone = %s, voice_guidelines = %s, second_factor_required = %s"
            " WHERE workspace_id = %s AND deleted_at IS NULL",
            (
                workspace.name, workspace.time_zone, workspace.voice_guidelines,
                workspace.settings.second_factor_required, workspace.workspace_id,
            ),
        )  # fmt: skip

    async def is_open(self, workspace_id: UUID) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM workspace WHERE workspace_id = %s AND deleted_at IS NULL FOR SHARE", (workspace_id,)
        )
        return found is not None

    async def hold(self, workspace_id: UUID) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM workspace WHERE workspace_id = %s AND deleted_at IS NULL FOR NO KEY UPDATE", (workspace_id,)
        )
        return found is not None

    async def close(self, workspace_id: UUID, *, at: datetime, until: datetime) -> None:
        facts = {
            "workspace_id": workspace_id,
            "at": at,
            "until": until,
            "reason": RevocationReason.WORKSPACE_DELETED.value,
        }
        await self._transaction.execute(
            "UPDATE workspace SET deleted_at = %(at)s, closing_until = %(until)s WHERE workspace_id = %(workspace_id)s",
            facts,
        )
        await self._transaction.execute("DELETE FROM invitation WHERE workspace_id = %(workspace_id)s", facts)
        await cancel_authorisations(self._transaction, "workspace_id = %(workspace_id)s", facts)
        await self._transaction.execute(
            "UPDATE connection SET state = 'ending', ending_reason = %(reason)s, ending_until = %(until)s,"
            " refresh_at = NULL WHERE connection_id IN (SELECT connection_id FROM connection"
            "  WHERE workspace_id = %(workspace_id)s AND state IN ('active', 'expiring', 'reauth_required')"
            "  ORDER BY connection_id FOR UPDATE)",
            facts,
        )

    async def open_connections(self, workspace_id: UUID) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT connection_id FROM connection WHERE workspace_id = %s AND state <> 'revoked'", (workspace_id,)
        )

    async def claim_closing(self, *, now: datetime, until: datetime, limit: int) -> list[UUID]:
        return await self._transaction.scalars(
            "UPDATE workspace SET closing_until = %s WHERE workspace_id IN (SELECT workspace_id FROM workspace"
            " WHERE closing_until <= %s LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING workspace_id",
            (until, now, limit),
        )

    async def closed(self, workspace_id: UUID) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE workspace SET closing_until = NULL WHERE workspace_id = %s AND closing_until IS NOT NULL",
                (workspace_id,),
            )
        )


class StoredMembers:
    """Implements `auth.ports.workspaces.Members`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, workspace_id: UUID, account_id: UUID, role: Role, *, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "INSERT INTO member (workspace_id, account_id, role, added_at) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (workspace_id, account_id, role, at),
            )
        )

    async def of_workspace(self, workspace_id: UUID) -> list[Member]:
        return await self._transaction.all(
            Member,
            "SELECT m.account_id, a.email, a.full_name, p.account_id IS NOT NULL AS has_photo, m.role, m.added_at"
            " FROM member m JOIN account a USING (account_id) LEFT JOIN photo p USING (account_id)"
            " WHERE m.workspace_id = %s AND a.deleted_at IS NULL ORDER BY m.added_at, m.account_id",
            (workspace_id,),
        )

    async def count(self, workspace_id: UUID) -> int:
        found: int = await self._transaction.scalar(
            "SELECT count(*) FROM member WHERE workspace_id = %s", (workspace_id,)
        )
        return found

    async def role_of(self, workspace_id: UUID, account_id: UUID) -> Role | None:
        role = await self._transaction.scalar(
            "SELECT m.role FROM member m JOIN account a USING (account_id)"
            " WHERE m.workspace_id = %s AND m.account_id = %s AND a.deleted_at IS NULL",
            (workspace_id, account_id),
        )
        return Role(role) if role else None

    async def owners(self, workspace_id: UUID) -> list[UUID]:
        return await self._transaction.scalars(
            "SELECT m.account_id FROM member m JOIN account a USING (account_id)"
            " WHERE m.workspace_id = %s AND m.role = 'owner' AND a.deleted_at IS NULL",
            (workspace_id,),
        )

    async def set_role(self, workspace_id: UUID, account_id: UUID, role: Role) -> None:
        await self._transaction.execute(
            "UPDATE member SET role = %s WHERE workspace_id = %s AND account_id = %s", (role, workspace_id, account_id)
        )

    async def remove(self, workspace_id: UUID, account_id: UUID) -> None:
        theirs = {"workspace_id": workspace_id, "account_id": account_id}
        await cancel_authorisations(
            self._transaction, "workspace_id = %(workspace_id)s AND account_id = %(account_id)s", theirs
        )
        await self._transaction.execute(
            "DELETE FROM member WHERE workspace_id = %(workspace_id)s AND account_id = %(account_id)s", theirs
        )
