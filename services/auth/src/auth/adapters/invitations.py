"""Invitations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from contracts.access import Role
from kit.database import Transaction

from auth.domain.invitations import Invitation


class StoredInvitations:
    """Implements `auth.ports.workspaces.Invitations`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, workspace_id: UUID, invitation: Invitation) -> bool:
        # One that is over, and not swept yet, makes room.
        return bool(
            await self._transaction.execute(
                "INSERT INTO invitation (invitation_id, workspace_id, address, role, invited_by, invited_at,"
                " expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (workspace_id, address) DO UPDATE SET"
                " invitation_id = excluded.invitation_id, role = excluded.role, invited_by = excluded.invited_by,"
                " invited_at = excluded.invited_at, expires_at = excluded.expires_at"
                " WHERE invitation.expires_at <= excluded.invited_at",
                (
                    invitation.invitation_id, workspace_id, invitation.email, invitation.role, invitation.invited_by,
                    invitation.invited_at, invitation.expires_at,
                ),
            )
        )  # fmt: skip

    async def of_workspace(self, workspace_id: UUID, *, now: datetime) -> list[Invitation]:
        return await self._transaction.all(
            Invitation,
            "SELECT invitation_id, address AS email, role, invited_by, invited_at, expires_at FROM invitation"
            " WHERE workspace_id = %s AND expires_at > %s ORDER BY invited_at, invitation_id",
            (workspace_id, now),
        )

    async def find(self, workspace_id: UUID, invitation_id: UUID, *, now: datetime) -> Invitation | None:
        return await self._transaction.first(
            Invitation,
            "SELECT invitation_id, address AS email, role, invited_by, invited_at, expires_at FROM invitation"
            " WHERE workspace_id = %s AND invitation_id = %s AND expires_at > %s",
            (workspace_id, invitation_id, now),
        )

    async def prolong(self, invitation_id: UUID, *, expires_at: datetime) -> None:
        await self._transaction.execute(
            "UPDATE invitation SET expires_at = %s WHERE invitation_id = %s", (expires_at, invitation_id)
        )

    async def end(self, invitation_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM invitation WHERE invitation_id = %s", (invitation_id,))

    async def void(self, workspace_id: UUID, invited_by: UUID, roles: Sequence[Role]) -> None:
        await self._transaction.execute(
            "DELETE FROM invitation WHERE workspace_id = %s AND invited_by = %s AND role = ANY(%s)",
            (workspace_id, invited_by, [role.value for role in roles]),
        )

    async def count_letter(self, account_id: UUID, day: date, *, at_most: int) -> bool:
        return bool(
            await self._transaction.execute(
                "INSERT INTO invitation_count (account_id, day, letters) VALUES (%s, %s, 1)"
                " ON CONFLICT (account_id) DO UPDATE SET day = excluded.day, letters ="
                " CASE WHEN invitation_count.day = excluded.day THEN invitation_count.letters + 1 ELSE 1 END"
                " WHERE invitation_count.day <> excluded.day OR invitation_count.letters < %s",
                (account_id, day, at_most),
            )
        )


async def forget_invitations(transaction: Transaction, now: datetime) -> None:
    """Delete those that are over, and the counts of past days."""
    await transaction.execute("DELETE FROM invitation WHERE expires_at <= %s", (now,))
    await transaction.execute("DELETE FROM invitation_count WHERE day < %s", (now.date(),))
