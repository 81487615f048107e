"""Connections: what a team sees of one, the states it goes through, and when its grant is renewed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.auth import PlatformConfirmation
from contracts.leases import LEASE_SECONDS
from platforms.access import Access, Reach, Withdrawal
from platforms.shape import Grant, PlatformName, Profile

from auth.domain.renewing import Life

REFRESH_SECONDS = 20
"""How long a platform may take to renew a grant."""

QUIET_SECONDS = LEASE_SECONDS + 5
"""How long leases that are out are waited for: they end by themselves before."""

REVOKE_SECONDS = 10
"""How long a platform may take to revoke; the tokens are destroyed whatever it answers."""

FLIGHT = timedelta(seconds=QUIET_SECONDS + REFRESH_SECONDS + 5)
"""Whoever works on a connection has it for so long; after that it crashed and another one takes over."""

AVATAR_URL_LENGTH_MAX = 2_000


class State(StrEnum):
    """Where a connection stands. Only an active or expiring one lends its grant.

    `expiring`: it still works, but ends within days unless a person authorises again.
    """

    ACTIVE = "active"
    EXPIRING = "expiring"
    ENDING = "ending"
    REAUTH_REQUIRED = "reauth_required"
    REVOKED = "revoked"


LENDABLE = (State.ACTIVE, State.EXPIRING)


class ToDo(StrEnum):
    """What the people of a workspace have to do about a connection. `wait`: the platform does not renew it just now."""

    NOTHING = "nothing"
    WAIT = "wait"
    REAUTHORISE_SOON = "reauthorise_soon"
    REAUTHORISE = "reauthorise"


class UnconfirmedBecause(StrEnum):
    """Why the access may still stand at the platform.

    `shared`: other connections stand on the same permission there, and ending it would end them too.
    """

    NO_ANSWER = "no_answer"
    NOT_POSSIBLE = "not_possible"
    SHARED = "shared"


@dataclass(frozen=True)
class Connection:
    """One account on one platform, as its workspace sees it. `account_id` is the platform's own.

    `expires_at` is the end of the present token, `ends_at` that of the grant unless a person authorises again (null:
    it is renewed without end), `failing_since` when the platform began not to renew it.
    """

    connection_id: UUID
    workspace_id: UUID
    platform: str
    state: str
    account_id: str
    union_id: str | None
    handle: str
    display_name: str
    avatar_url: str | None
    account_type: str | None
    scopes: list[str]
    expires_at: datetime | None
    ends_at: datetime | None
    failing_since: datetime | None
    to_do: ToDo = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "to_do", to_do(self.state, self.failing_since))


@dataclass(frozen=True)
class Brief:
    """As much of a connection as other services check against. `platform_ends_on` is set in code, not stored."""

    connection_id: UUID
    platform: str
    state: str
    ends_at: datetime | None
    failing_since: datetime | None
    expires_at: datetime | None
    platform_ends_on: date | None = None


CONFIRMED = {
    PlatformConfirmation.CONFIRMED: True,
    PlatformConfirmation.UNCONFIRMED: False,
    PlatformConfirmation.NOT_ASKED: None,
}
"""What is stored and answered as `platform_confirmed`."""


@dataclass(frozen=True)
class Ended:
    """How a connection ended; while it has not, only its state is known.

    `platform_confirmed` is false where the platform did not acknowledge the end, and null where it was not asked.
    Where it is false, `unconfirmed_because` says why and `where_to_withdraw` where a person can end the access there.
    """

    platform: str
    state: str
    platform_confirmed: bool | None
    erasure_id: UUID | None
    unconfirmed_because: str | None
    where_to_withdraw: Withdrawal | None = None


def to_do(state: str, failing_since: datetime | None) -> ToDo:
    match state:
        case State.REAUTH_REQUIRED:
            return ToDo.REAUTHORISE
        case State.EXPIRING:
            return ToDo.REAUTHORISE_SOON
        case _:
            return ToDo.WAIT if failing_since else ToDo.NOTHING


def bond_of(access: Access, authorisation_id: UUID, grant: Grant) -> str:
    """Connections of one platform with the same bond end together when it is asked to revoke one of them."""
    return access.person_of(grant) if access.reach is Reach.PERSON else str(authorisation_id)


def connection_of(
    connection_id: UUID, workspace_id: UUID, platform: PlatformName, grant: Grant, profile: Profile, life: Life
) -> Connection:
    """A connection as it is when it has just been authorised."""
    avatar_url = profile.avatar_url
    return Connection(
        connection_id=connection_id,
        workspace_id=workspace_id,
        platform=platform,
        state=State.ACTIVE,
        account_id=grant.account_id,
        union_id=profile.union_id,
        handle=profile.handle,
        display_name=profile.display_name,
        avatar_url=avatar_url if avatar_url and len(avatar_url) <= AVATAR_URL_LENGTH_MAX else None,
        account_type=profile.account_type,
        scopes=list(grant.scopes),
        expires_at=life.expires_at,
        ends_at=life.ends_at,
        failing_since=None,
    )


def refusal_of(
    state: str,
    expires_at: datetime | None,
    refreshing_until: datetime | None,
    now: datetime,
    *,
    renewable: bool,
) -> str | None:
    """Why a grant is not lent, or None. One that ends within a lease is not lent: it would end in a call."""
    if state in (State.ENDING, State.REVOKED):
        return "revoked"
    over = expires_at is None or expires_at <= now + timedelta(seconds=LEASE_SECONDS)
    if state == State.REAUTH_REQUIRED or (over and not renewable):
        return "reauth_required"
    renewing = refreshing_until is not None and refreshing_until > now
    return "refreshing" if over or renewing else None


def event_word(code: str) -> str:
    """A platform's error code as an event may carry it."""
    word = code.lower()
    return word if re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,99}", word) else "unknown"
