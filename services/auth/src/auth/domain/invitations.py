"""Invitations: somebody who reads a certain address may become a member of a workspace, as what they were invited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from kit.problems import Conflict, NotFound, Problem

LIFETIME = timedelta(days=7)
"""From its last letter. Long enough for a holiday week, short enough that a forgotten mailbox opens nothing."""

PENDING_MAX = 100
"""Open invitations of one workspace: more than any team takes in at once."""

LETTERS_A_DAY_MAX = 100
"""Letters of invitation that one person causes in a day (UTC), in all workspaces: Signoff is no means to send mail."""


class InvitationUnknown(NotFound):
    """Also for one that was withdrawn, accepted or is over."""

    code = "invitation-unknown"
    title = "This invitation is not open (any more)"


class InvitationOfAnother(Problem):
    """A forwarded letter lets nobody else in."""

    status = HTTPStatus.FORBIDDEN
    code = "invitation-of-another"
    title = "This invitation is for another e-mail address than your account's"


class AlreadyInvited(Conflict):
    code = "already-invited"
    title = "There is an open invitation for this address; send it again instead"


class TooManyInvitations(Conflict):
    code = "too-many-invitations"
    title = f"A workspace has at most {PENDING_MAX} open invitations"


class TooManyLetters(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-letters"
    title = f"A person sends at most {LETTERS_A_DAY_MAX} invitations a day"


@dataclass(frozen=True)
class Invitation:
    """An open invitation as those who manage members see it."""

    invitation_id: UUID
    email: str
    role: str
    invited_by: UUID
    invited_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Offer:
    """What the token of a letter is for: that workspace, for who reads mail at the address."""

    workspace_id: UUID
    address: str
