"""What is stored of workspaces, their members and invitations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from contracts.access import Role

from auth.domain.invitations import Invitation
from auth.domain.workspaces import Member, OwnWorkspace, Workspace


class Workspaces(Protocol):
    """Workspaces, from their opening to their end."""

    async def add(
        self, workspace_id: UUID, *, organisation_id: UUID, name: str, time_zone: str, at: datetime
    ) -> None: ...

    async def of_account(self, account_id: UUID) -> Sequence[OwnWorkspace]: ...

    async def find(self, workspace_id: UUID) -> Workspace | None:
        """None also for one that is deleted."""

    async def change(self, workspace: Workspace) -> None:
        """Write everything of it that its admins may change."""

    async def is_open(self, workspace_id: UUID) -> bool:
        """Whether it exists and is not deleted; held so until the transaction ends."""

    async def hold(self, workspace_id: UUID) -> bool:
        """The same, and nobody else changes who belongs to it until the transaction ends."""

    async def close(self, workspace_id: UUID, *, at: datetime, until: datetime) -> None:
        """Let nothing new begin in it: its connections are ending. Whoever does that has until then."""

    async def open_connections(self, workspace_id: UUID) -> Sequence[UUID]: ...

    async def claim_closing(self, *, now: datetime, until: datetime, limit: int) -> Sequence[UUID]: ...

    async def closed(self, workspace_id: UUID) -> bool:
        """Note that nothing is open in it any more; False if that is done already."""


class Members(Protocol):
    """Who belongs to a workspace, and as what. People whose account is deleted belong to none."""

    async def add(self, workspace_id: UUID, account_id: UUID, role: Role, *, at: datetime) -> bool:
        """False if the person is a member already."""

    async def of_workspace(self, workspace_id: UUID) -> Sequence[Member]: ...

    async def count(self, workspace_id: UUID) -> int: ...

    async def role_of(self, workspace_id: UUID, account_id: UUID) -> Role | None: ...

    async def owners(self, workspace_id: UUID) -> Sequence[UUID]: ...

    async def set_role(self, workspace_id: UUID, account_id: UUID, role: Role) -> None: ...

    async def remove(self, workspace_id: UUID, account_id: UUID) -> None:
        """End the membership and the authorisations that the person has begun in the workspace."""


class Invitations(Protocol):
    """Open invitations."""

    async def add(self, workspace_id: UUID, invitation: Invitation) -> bool:
        """False if there is an open one for the address already."""

    async def of_workspace(self, workspace_id: UUID, *, now: datetime) -> Sequence[Invitation]: ...

    async def find(self, workspace_id: UUID, invitation_id: UUID, *, now: datetime) -> Invitation | None: ...

    async def prolong(self, invitation_id: UUID, *, expires_at: datetime) -> None: ...

    async def end(self, invitation_id: UUID) -> None: ...

    async def void(self, workspace_id: UUID, invited_by: UUID, roles: Sequence[Role]) -> None:
        """End those to these roles that a person made: they could not make them any more."""

    async def count_letter(self, account_id: UUID, day: date, *, at_most: int) -> bool:
        """Count one letter more that the person causes on this day; False if it would be too many."""
