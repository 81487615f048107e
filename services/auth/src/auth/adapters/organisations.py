"""Organisations and the people who run them in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.organisations import OrganisationMember, OrganisationRole, OwnedWorkspace, OwnOrganisation


class StoredOrganisations:
    """Implements `auth.ports.organisations.Organisations`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, organisation_id: UUID, *, name: str, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO organisation (organisation_id, name, created_at) VALUES (%s, %s, %s)",
            (organisation_id, name, at),
        )

    async def rename(self, organisation_id: UUID, name: str) -> None:
        await self._transaction.execute(
            "UPDATE organisation SET name = %s WHERE organisation_id = %s", (name, organisation_id)
        )

    async def hold(self, organisation_id: UUID) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM organisation WHERE organisation_id = %s FOR NO KEY UPDATE", (organisation_id,)
        )
        return found is not None

    async def of_account(self, account_id: UUID) -> list[OwnOrganisation]:
        return await self._transaction.all(
            OwnOrganisation,
            "SELECT o.organisation_id, o.name, m.role FROM organisation_member m"
            " JOIN organisation o USING (organisation_id) WHERE m.account_id = %s"
            " ORDER BY o.created_at, o.organisation_id",
            (account_id,),
        )

    async def hold_person(self, account_id: UUID) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM account WHERE account_id = %s AND deleted_at IS NULL FOR NO KEY UPDATE", (account_id,)
        )
        return found is not None

    async def role_of(self, organisation_id: UUID, account_id: UUID) -> OrganisationRole | None:
        role = await self._transaction.scalar(
            "SELECT m.role FROM organisation_member m JOIN account a USING (account_id)"
            " WHERE m.organisation_id = %s AND m.account_id = %s AND a.deleted_at IS NULL",
            (organisation_id, account_id),
        )
        return OrganisationRole(role) if role else None

    async def members(self, organisation_id: UUID) -> list[OrganisationMember]:
        return await self._transaction.all(
            OrganisationMember,
            "SELECT m.account_id, a.email, a.full_name, m.role, m.added_at"
            " FROM organisation_member m JOIN account a USING (account_id)"
            " WHERE m.organisation_id = %s AND a.deleted_at IS NULL ORDER BY m.added_at, m.account_id",
            (organisation_id,),
        )

    async def works_for(self, account_id: UUID, organisation_id: UUID) -> bool:
        found: bool = await self._transaction.scalar("SELECT works_for(%s, %s)", (account_id, organisation_id))
        return found

    async def workspaces(self, organisation_id: UUID) -> list[OwnedWorkspace]:
        return await self._transaction.all(
            OwnedWorkspace,
            "SELECT workspace_id, name, created_at FROM workspace WHERE organisation_id = %s AND deleted_at IS NULL"
            " ORDER BY created_at, workspace_id",
            (organisation_id,),
        )

    async def set_role(self, organisation_id: UUID, account_id: UUID, role: OrganisationRole, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO organisation_member (organisation_id, account_id, role, added_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (organisation_id, account_id) DO UPDATE SET role = excluded.role",
            (organisation_id, account_id, role, at),
        )

    async def remove(self, organisation_id: UUID, account_id: UUID) -> None:
        await self._transaction.execute(
            "DELETE FROM organisation_member WHERE organisation_id = %s AND account_id = %s",
            (organisation_id, account_id),
        )

    async def hand_over(self, account_id: UUID, *, at: datetime) -> None:
        await self._transaction.execute(
            "SELECT 1 FROM organisation WHERE organisation_id IN (SELECT organisation_id FROM organisation_member"
            " WHERE account_id = %s) ORDER BY organisation_id FOR NO KEY UPDATE",
            (account_id,),
        )
        orphaned = await self._transaction.scalars(
            "SELECT m.organisation_id FROM organisation_member m WHERE m.account_id = %s AND m.role = 'owner'"
            " AND NOT EXISTS (SELECT 1 FROM organisation_member o JOIN account a USING (account_id)"
            "  WHERE o.organisation_id = m.organisation_id AND o.role = 'owner' AND a.deleted_at IS NULL)",
            (account_id,),
        )
        inherited = await self._transaction.scalars(
            "INSERT INTO organisation_member (organisation_id, account_id, role, added_at)"
            " SELECT DISTINCT ON (organisation_id) organisation_id, account_id, 'owner', %s FROM ("
            "  SELECT m.organisation_id, m.account_id, 1 AS rank, m.added_at FROM organisation_member m"
            "  UNION ALL SELECT w.organisation_id, m.account_id, 2, m.added_at FROM member m"
            "  JOIN workspace w USING (workspace_id) WHERE w.deleted_at IS NULL AND m.role = 'owner') heir"
            " JOIN account a USING (account_id) WHERE a.deleted_at IS NULL AND organisation_id = ANY(%s)"
            " ORDER BY organisation_id, rank, heir.added_at, account_id"
            " ON CONFLICT (organisation_id, account_id) DO UPDATE SET role = 'owner' RETURNING organisation_id",
            (at, orphaned),
        )
        await self._transaction.execute(
            "UPDATE organisation SET closed_by = %s WHERE organisation_id = ANY(%s)",
            (account_id, list(set(orphaned) - set(inherited))),
        )
