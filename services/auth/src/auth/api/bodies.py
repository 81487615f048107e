"""What request bodies look like. An unknown field, a wrong type or a value out of range is refused whole."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from contracts.access import Role
from msgspec import Meta
from platforms.shape import PlatformName

from auth.domain.accounts import EMAIL_LENGTH_MAX
from auth.domain.authorising import CHOSEN_MAX
from auth.domain.organisations import OrganisationRole
from auth.domain.passwords import LENGTH_MAX
from auth.domain.workspaces import VOICE_GUIDELINES_LENGTH_MAX

Email = Annotated[str, Meta(min_length=3, max_length=EMAIL_LENGTH_MAX)]
Password = Annotated[str, Meta(min_length=1, max_length=LENGTH_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64)]
Language = Annotated[str, Meta(max_length=35, pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A language tag (BCP 47)."""
Token = Annotated[str, Meta(min_length=1, max_length=200)]


class SignUpBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    email: Email
    password: Password
    time_zone: TimeZone
    age_attested: bool
    full_name: Name | None = None
    company: Name | None = None
    language: Language = "en"
    invitation: Token | None = None


class TokenBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a letter's link carries."""

    token: Token


class ResetBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    token: Token
    password: Password


class NewAddressBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who has no password leaves it out."""

    email: Email
    password: Password | None = None


class AddressBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    email: Email


class CorrectionBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Every field that is left out stays as it is; null empties an optional one."""

    full_name: Name | msgspec.UnsetType | None = msgspec.UNSET
    company: Name | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: TimeZone | msgspec.UnsetType = msgspec.UNSET
    language: Language | msgspec.UnsetType = msgspec.UNSET


class SignInBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    email: Email
    password: Password


class NewPasswordBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    password: Password
    new_password: Password


class DeletionBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who has no password leaves it out."""

    password: Password | None = None


class OrganisationBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: Name


class OrganisationRoleBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    role: OrganisationRole


class WorkspaceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Without an organisation: the person's only one, or their first."""

    name: Name
    time_zone: TimeZone
    organisation_id: UUID | None = None


class WorkspaceSettingsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    second_factor_required: bool | msgspec.UnsetType = msgspec.UNSET


class WorkspaceChangesBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Every field that is left out stays as it is."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    time_zone: TimeZone | msgspec.UnsetType = msgspec.UNSET
    voice_guidelines: Annotated[str, Meta(max_length=VOICE_GUIDELINES_LENGTH_MAX)] | msgspec.UnsetType = msgspec.UNSET
    settings: WorkspaceSettingsBody | msgspec.UnsetType = msgspec.UNSET


class InvitationBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    email: Email
    role: Role


class AcceptanceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    token: Annotated[str, Meta(min_length=1, max_length=200)]


class RoleBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    role: Role


class OwnershipBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    account_id: UUID


class PassportBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A session's token or an API key."""

    session_token: Annotated[str, Meta(max_length=200)] | None = None
    api_key: Annotated[str, Meta(max_length=200)] | None = None
    workspace_id: UUID | None = None


class AuthorisationBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`handle` is asked for where a platform has many servers (Bluesky)."""

    platform: PlatformName
    handle: Annotated[str, Meta(min_length=1, max_length=253)] | None = None


class ChoiceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`account_ids` are the platform's own, as the authorisation offered them."""

    account_ids: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=300)]], Meta(min_length=1, max_length=CHOSEN_MAX)
    ]


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a body that were not left out, by name."""
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not msgspec.UNSET}
