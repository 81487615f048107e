"""Organisations: the agencies that own workspaces, and the people who run them.

Who works in a workspace is its member. An organisation has only those who decide about it: owners do everything, admins
open workspaces for it. Neither sees into a workspace they are no member of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from kit.problems import Conflict, Invalid, Problem

OWNED_MAX = 20
"""Organisations that one person opens: who runs more agencies than this is a program."""

PEOPLE_MAX = 50
"""People who run one organisation; its list is answered whole."""


class OrganisationRole(StrEnum):
    """What a person is in an organisation."""

    OWNER = "owner"
    ADMIN = "admin"


class TooManyOrganisations(Conflict):
    code = "too-many-organisations"
    title = f"A person opens at most {OWNED_MAX} organisations"


class OrganisationFull(Conflict):
    code = "organisation-full"
    title = f"At most {PEOPLE_MAX} people run an organisation"


class NotOfOrganisation(Problem):
    """Who runs an organisation comes out of its workspaces: there they were invited and have agreed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "not-of-organisation"
    title = "This person is a member of none of the organisation's workspaces"


@dataclass(frozen=True)
class OwnOrganisation:
    """An organisation as one of those who run it sees it."""

    organisation_id: UUID
    name: str
    role: str


@dataclass(frozen=True)
class OwnedWorkspace:
    """A workspace as those who run its organisation see it; what is in it they see as its members only."""

    workspace_id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True)
class OrganisationMember:
    """A person who runs an organisation."""

    account_id: UUID
    email: str
    full_name: str | None
    role: str
    added_at: datetime


ORGANISATION_NEEDED = {
    "pointer": "/organisation_id",
    "detail": "You run several organisations; say which of them this workspace belongs to.",
}


def the_only(organisations: list[OwnOrganisation]) -> OwnOrganisation | None:
    """The organisation that is meant if none is named; None if there is none yet. Raises `Invalid`."""
    if len(organisations) > 1:
        raise Invalid(errors=[ORGANISATION_NEEDED])
    return organisations[0] if organisations else None
