"""Organisations, their workspaces, members and invitations."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Delete, Kind, Table

from auth.data_map.subjects import BY_ACCOUNT, BY_WORKSPACE

_INVITATION = Table(
    "invitation",
    purpose="Somebody's address that was invited to a workspace, as what and by whom.",
    retention="Until it is accepted or withdrawn, 7 days after its last letter at most; swept within a minute.",
    columns={
        "invitation_id": Kind.ID,
        "workspace_id": Kind.ID,
        "address": Kind.PERSONAL,
        "role": Kind.STATE,
        "invited_by": Kind.ID,
        "invited_at": Kind.TIME,
        "expires_at": Kind.TIME,
    },
    subjects={
        SubjectKind.WORKSPACE: BY_WORKSPACE,
        SubjectKind.ACCOUNT: Delete(
            "invited_by = %(subject)s OR address = (SELECT email FROM account WHERE account_id = %(subject)s)"
        ),
    },
)
_INVITATION_COUNT = Table(
    "invitation_count",
    purpose="How many letters of invitation a person caused on one day, for the limit on them.",
    retention="That day; swept within a minute after it.",
    columns={"account_id": Kind.ID, "day": Kind.TIME, "letters": Kind.STATE},
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_MEMBER = Table(
    "member",
    purpose="Who belongs to a workspace, and as what.",
    retention="While the workspace and the account exist and the person has neither left nor been removed.",
    columns={"workspace_id": Kind.ID, "account_id": Kind.ID, "role": Kind.STATE, "added_at": Kind.TIME},
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE, SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_WORKSPACE = Table(
    "workspace",
    purpose="A brand's room: its name, its settings and how it speaks.",
    retention="Until its erasure, once it is deleted.",
    columns={
        "workspace_id": Kind.ID,
        "organisation_id": Kind.ID,
        "name": Kind.CONTENT,
        "time_zone": Kind.STATE,
        "voice_guidelines": Kind.CONTENT,
        "second_factor_required": Kind.STATE,
        "created_at": Kind.TIME,
        "deleted_at": Kind.TIME,
        "closed_by": Kind.ID,
        "closing_until": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE},
)
_ORGANISATION_MEMBER = Table(
    "organisation_member",
    purpose="Who runs an organisation, and as what.",
    retention="While the organisation and the account exist and the person has neither left nor been removed.",
    columns={"organisation_id": Kind.ID, "account_id": Kind.ID, "role": Kind.STATE, "added_at": Kind.TIME},
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_ORGANISATION = Table(
    "organisation",
    purpose="The agency that owns workspaces.",
    retention="Until the erasure of the account that was the last to run it.",
    columns={
        "organisation_id": Kind.ID,
        "name": Kind.CONTENT,
        "created_at": Kind.TIME,
        "closed_by": Kind.ID,
    },
    subjects={SubjectKind.ACCOUNT: Delete("closed_by = %(subject)s")},
)

TABLES = (_INVITATION, _INVITATION_COUNT, _MEMBER, _WORKSPACE, _ORGANISATION_MEMBER, _ORGANISATION)
