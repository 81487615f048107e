"""Workspaces and who is a member of them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from kit.problems import Conflict, Problem


class AccountUnknown(Problem):
    """A member must have an account first."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "account-unknown"
    title = "There is no account with this e-mail address"


class AlreadyMember(Conflict):
    code = "already-member"
    title = "This person is a member already"


@dataclass(frozen=True)
class OwnWorkspace:
    """A workspace as one of its members sees it in a list."""

    workspace_id: UUID
    name: str
    role: str
    time_zone: str


@dataclass(frozen=True)
class Member:
    """A person in a workspace."""

    account_id: UUID
    email: str
    full_name: str | None
    role: str
