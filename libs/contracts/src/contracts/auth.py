"""Events of auth: accounts, workspaces, members, connections."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from contracts.access import Role
from contracts.event import Event, Instant, Word
from contracts.registry import downcasts, event, upcasts


class RevocationReason(StrEnum):
    """Why a connection ended."""

    DISCONNECTED = "disconnected"
    PLATFORM = "platform"
    ACCOUNT_DELETED = "account_deleted"
    WORKSPACE_DELETED = "workspace_deleted"


class PlatformConfirmation(StrEnum):
    """Whether the platform acknowledged that a connection ended."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    NOT_ASKED = "not_asked"


@event("account.registered", 1, owner="auth", aggregate="account_id", key="account_id")
class AccountRegisteredV1(Event):
    """A person can sign in from now on."""

    account_id: UUID


@event("account.approved", 1, owner="auth", aggregate="account_id", key="account_id")
class AccountApprovedV1(Event):
    """An operator let a new person in, where accounts are subject to approval."""

    account_id: UUID


@event("account.updated", 1, owner="auth", aggregate="account_id", key="account_id")
class AccountUpdatedV1(Event):
    """Something that the person says about themself has changed; auth tells what it is now."""

    account_id: UUID


@event("account.deleted", 1, owner="auth", aggregate="account_id", key="account_id")
class AccountDeletedV1(Event):
    """The person is gone: no sign-in, no session, no token. Everything held about them is to be erased."""

    account_id: UUID
    erasure_id: UUID


@event("workspace.created", 1, owner="auth", aggregate="workspace_id")
class WorkspaceCreatedV1(Event):
    """A brand has a room, and this person owns it."""

    workspace_id: UUID
    account_id: UUID


@event("workspace.updated", 1, owner="auth", aggregate="workspace_id")
class WorkspaceUpdatedV1(Event):
    """The workspace's name, settings or organisation have changed; auth tells what they are now."""

    workspace_id: UUID


@event("workspace.deleted", 1, owner="auth", aggregate="workspace_id")
class WorkspaceDeletedV1(Event):
    """The workspace is closed: nothing more is published or measured, everything in it is to be erased."""

    workspace_id: UUID
    erasure_id: UUID


@event("member.added", 1, owner="auth", aggregate="workspace_id")
class MemberAddedV1(Event):
    """A person may act in the workspace from now on, as far as the role goes."""

    workspace_id: UUID
    account_id: UUID
    role: Role


@event("member.role_changed", 1, owner="auth", aggregate="workspace_id")
class MemberRoleChangedV1(Event):
    """A person may do more or less in the workspace from now on."""

    workspace_id: UUID
    account_id: UUID
    role: Role


@event("member.removed", 1, owner="auth", aggregate="workspace_id")
class MemberRemovedV1(Event):
    """A person has left the workspace or was removed; what they could do in it they no longer can."""

    workspace_id: UUID
    account_id: UUID


@event("connection.established", 1, owner="auth", aggregate="connection_id")
class ConnectionEstablishedV1(Event):
    """An account on a platform was authorised for the workspace, for the first time or again."""

    workspace_id: UUID
    connection_id: UUID
    platform: Word


@event("connection.refreshed", 1, owner="auth", aggregate="connection_id")
class ConnectionRefreshedV1(Event):
    """The grant was renewed; it is good until `expires_at`."""

    workspace_id: UUID
    connection_id: UUID
    expires_at: Instant


@event("connection.expiring", 1, owner="auth", aggregate="connection_id")
class ConnectionExpiringV1(Event):
    """The grant ends at `ends_at` and only a person can renew it; what is due later will not be published before."""

    workspace_id: UUID
    connection_id: UUID
    ends_at: Instant


@event("connection.reauth_required", 1, owner="auth", aggregate="connection_id")
class ConnectionReauthRequiredV1(Event):
    """The grant is dead or too narrow; nothing is published through it until a person authorises again."""

    workspace_id: UUID
    connection_id: UUID
    reason: Word


@event("connection.revoked", 1, owner="auth", aggregate="connection_id")
class ConnectionRevokedV1(Event):
    """The connection ended and its tokens are destroyed; the clock of what was derived from it runs.

    `platform_confirmed` is false where the platform did not acknowledge the revocation.
    """

    workspace_id: UUID
    connection_id: UUID
    platform: Word
    reason: RevocationReason
    platform_confirmed: bool
    revoked_at: Instant
    erasure_id: UUID


@event("connection.revoked", 2, owner="auth", aggregate="connection_id")
class ConnectionRevokedV2(Event):
    """The connection ended and its tokens are destroyed; the clock of what was derived from it runs.

    `platform_confirmation` is `unconfirmed` where the access may still stand on the platform's side, and `not_asked`
    where the platform ended it itself.
    """

    workspace_id: UUID
    connection_id: UUID
    platform: Word
    reason: RevocationReason
    platform_confirmation: PlatformConfirmation
    revoked_at: Instant
    erasure_id: UUID


@upcasts(ConnectionRevokedV1, ConnectionRevokedV2)
def revoked_v1_to_v2(event: ConnectionRevokedV1) -> ConnectionRevokedV2:
    """V1 has no word for a platform that was not asked, but its reason tells: the platform ended it itself."""
    if event.reason is RevocationReason.PLATFORM:
        confirmation = PlatformConfirmation.NOT_ASKED
    else:
        confirmation = PlatformConfirmation.CONFIRMED if event.platform_confirmed else PlatformConfirmation.UNCONFIRMED
    return ConnectionRevokedV2(platform_confirmation=confirmation, **event.model_dump(exclude={"platform_confirmed"}))


@downcasts(ConnectionRevokedV2, ConnectionRevokedV1)
def revoked_v2_to_v1(event: ConnectionRevokedV2) -> ConnectionRevokedV1:
    """V1's false warns that the access may still stand; where the platform ended it itself, it does not."""
    confirmed = event.platform_confirmation is not PlatformConfirmation.UNCONFIRMED
    return ConnectionRevokedV1(platform_confirmed=confirmed, **event.model_dump(exclude={"platform_confirmation"}))
