"""What is stored of organisations and the people who run them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.domain.organisations import OrganisationMember, OrganisationRole, OwnedWorkspace, OwnOrganisation


class Organisations(Protocol):
    """Organisations. People whose account is deleted run none."""

    async def add(self, organisation_id: UUID, *, name: str, at: datetime) -> None: ...

    async def rename(self, organisation_id: UUID, name: str) -> None: ...

    async def hold(self, organisation_id: UUID) -> bool:
        """Whether there is one; nobody else changes who runs it until the transaction ends."""

    async def of_account(self, account_id: UUID) -> Sequence[OwnOrganisation]: ...

    async def hold_person(self, account_id: UUID) -> bool:
        """Whether the account is there; it opens nothing else and is not deleted until the transaction ends."""

    async def role_of(self, organisation_id: UUID, account_id: UUID) -> OrganisationRole | None: ...

    async def members(self, organisation_id: UUID) -> Sequence[OrganisationMember]: ...

    async def works_for(self, account_id: UUID, organisation_id: UUID) -> bool:
        """Whether the person is a member of one of its open workspaces."""

    async def workspaces(self, organisation_id: UUID) -> Sequence[OwnedWorkspace]: ...

    async def set_role(
        self, organisation_id: UUID, account_id: UUID, role: OrganisationRole, *, at: datetime
    ) -> None: ...

    async def remove(self, organisation_id: UUID, account_id: UUID) -> None: ...

    async def hand_over(self, account_id: UUID, *, at: datetime) -> None:
        """See to those whose last owner's account is deleted.

        The eldest of its admins takes one over, or else the eldest owner of its workspaces. One that nobody is left
        for is closed, and erased with the account.
        """
