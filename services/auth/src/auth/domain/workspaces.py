"""Workspaces, what can be set in them, and who is a member of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Self
from uuid import UUID

from contracts.access import Role, covers
from kit.problems import Conflict, Problem

VOICE_GUIDELINES_LENGTH_MAX = 20_000
"""Some ten pages: guidelines are read by people who write posts."""

MEMBERS_MAX = 500
"""Of one workspace. A brand's team is smaller, and the list of members is answered whole."""

OWN_MAX = 500
"""Workspaces that a person is a member of when they open one more; their list is answered whole."""


class AlreadyMember(Conflict):
    code = "already-member"
    title = "This person is a member already"


class WorkspaceFull(Conflict):
    code = "workspace-full"
    title = f"A workspace has at most {MEMBERS_MAX} members"


class TooManyWorkspaces(Conflict):
    code = "too-many-workspaces"
    title = f"Who is a member of {OWN_MAX} workspaces opens no more"


class LastOwner(Conflict):
    """The last owner stays one until somebody else is, or deletes what they own."""

    code = "last-owner"
    title = "Somebody must stay its owner"


class RoleBeyondOwn(Problem):
    """Nobody gives a role that may do more than their own, nor touches who has one."""

    status = HTTPStatus.FORBIDDEN
    code = "role-beyond-own"
    title = "This role may do more than your own"


@dataclass(frozen=True)
class OwnWorkspace:
    """A workspace as one of its members sees it in a list."""

    workspace_id: UUID
    organisation_id: UUID
    name: str
    role: str
    time_zone: str


@dataclass(frozen=True)
class WorkspaceSettings:
    """`second_factor_required`: members without a second factor do not get in."""

    second_factor_required: bool


@dataclass(frozen=True)
class Workspace:
    """A brand's room. `voice_guidelines` say how the brand speaks."""

    workspace_id: UUID
    organisation_id: UUID
    name: str
    time_zone: str
    voice_guidelines: str
    settings: WorkspaceSettings
    created_at: datetime


@dataclass(frozen=True)
class Member:
    """A person in a workspace."""

    account_id: UUID
    email: str
    full_name: str | None
    has_photo: bool
    role: str
    added_at: datetime

    @property
    def called(self) -> str:
        """How a letter names the person."""
        return self.full_name or self.email


@dataclass(frozen=True)
class ShownMember:
    """A person as others in the workspace see them. The address is for those who manage members, and oneself."""

    account_id: UUID
    email: str | None
    full_name: str | None
    has_photo: bool
    role: str
    added_at: datetime

    @classmethod
    def of(cls, member: Member, *, with_email: bool) -> Self:
        email = member.email if with_email else None
        return cls(member.account_id, email, member.full_name, member.has_photo, member.role, member.added_at)


def check_may_give(own: Role, *roles: Role) -> None:
    """Raise `RoleBeyondOwn` unless who is `own` may do all that these roles may."""
    if not all(covers(own, role) for role in roles):
        raise RoleBeyondOwn()
