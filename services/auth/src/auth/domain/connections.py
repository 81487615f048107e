"""Connections: what a team sees of one, the states it goes through, and when its grant is renewed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from contracts.auth import PlatformConfirmation
from contracts.leases import LEASE_SECONDS
from kit.problems import Conflict, Invalid, NotFound, Problem, Unavailable
from platforms.errors import Misconfigured, PlatformError, RateLimited, ReauthorisationNeeded, Rejected
from platforms.shape import Grant, PlatformName, Profile

REFRESH_SHARE = 0.2
"""A grant is renewed when this share of its life is left …"""

REFRESH_AHEAD_MIN = timedelta(minutes=10)
"""… or this time, whichever is earlier: enough for a platform's short outage."""

REFRESH_JITTER = 0.05
"""Grants of one hour do not come due in one second: up to this share of a life earlier."""

FORCED_AHEAD = timedelta(minutes=2)
"""Until this long before its end a renewal waits for a moment without leases; then it stops new ones."""

REFRESH_SECONDS = 20
"""How long a platform may take to renew a grant."""

CONNECT_SECONDS = 20
"""How long each step of connecting may take at a platform: a person waits for it."""

QUIET_SECONDS = LEASE_SECONDS + 5
"""How long leases that are out are waited for: they end by themselves before."""

REVOKE_SECONDS = 10
"""How long a platform may take to revoke; the tokens are destroyed whatever it answers."""

FLIGHT = timedelta(seconds=QUIET_SECONDS + REFRESH_SECONDS + 5)
"""Whoever works on a connection has it for so long; after that it crashed and another one takes over."""

RETRY_SECONDS = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Pauses between attempts to renew; the last one repeats."""

AVATAR_URL_LENGTH_MAX = 2_000


class State(StrEnum):
    """Where a connection stands. Only an active one lends its grant."""

    ACTIVE = "active"
    ENDING = "ending"
    REAUTH_REQUIRED = "reauth_required"
    REVOKED = "revoked"


class AuthorisationUnknown(NotFound):
    """Also for one that was used already, took too long or belongs to somebody else."""

    code = "authorisation-unknown"
    title = "This authorisation is not open (any more)"


class AuthorisationDenied(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "authorisation-denied"
    title = "The platform was not allowed to connect"


class AuthorisationFailed(Conflict):
    code = "authorisation-failed"
    title = "The platform did not complete the authorisation; start it again"


class ScopeMissing(Problem):
    """`scopes` are those that publishing and measuring need and the person did not grant."""

    status = HTTPStatus.FORBIDDEN
    code = "scope-missing"
    title = "A permission that is needed was not granted"


class PlatformNotOffered(Invalid):
    code = "platform-not-offered"
    title = "This installation does not offer the platform"

    def __init__(self) -> None:
        super().__init__(errors=[{"pointer": "/platform", "detail": "The platform is not offered here."}])


class PlatformUnavailable(Unavailable):
    code = "platform-unavailable"
    title = "The platform does not answer as it should; try again shortly"


class PlatformMisconfigured(Problem):
    status = HTTPStatus.BAD_GATEWAY
    code = "platform-misconfigured"
    title = "Our application is not set up correctly at the platform"


@dataclass(frozen=True)
class Connection:
    """One account on one platform, as its workspace sees it. `account_id` is the platform's own."""

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


@dataclass(frozen=True)
class Brief:
    """As much of a connection as other services check against."""

    connection_id: UUID
    platform: str
    state: str


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
    """

    state: str
    platform_confirmed: bool | None
    erasure_id: UUID | None


@dataclass(frozen=True)
class Authorisation:
    """What was kept while a person was away at the platform."""

    workspace_id: UUID
    platform: str
    wrapped_key: bytes
    key_id: str
    nonce: bytes
    ciphertext: bytes
    expires_at: datetime


def connection_of(
    connection_id: UUID, workspace_id: UUID, platform: PlatformName, grant: Grant, profile: Profile
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
        expires_at=grant.expires_at,
    )


def refresh_at(grant: Grant, now: datetime, *, chance: float) -> datetime:
    """When to renew a grant that was issued now. `chance` is random, from 0 to 1."""
    life = grant.expires_at - now
    # A grant of minutes would be due at once: half of any life passes first.
    ahead = min(max(life * REFRESH_SHARE, REFRESH_AHEAD_MIN), life / 2)
    return grant.expires_at - ahead - life * REFRESH_JITTER * chance


def retry_at(attempts: int, now: datetime, *, chance: float) -> datetime:
    """When to try again after `attempts` failures."""
    pause_seconds = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return now + timedelta(seconds=pause_seconds * (1 + 0.2 * chance))


def refusal_of(state: str, expires_at: datetime | None, refreshing_until: datetime | None, now: datetime) -> str | None:
    """Why a grant is not lent, or None. One that ends within a lease is not lent: it would end in a call."""
    if state in (State.ENDING, State.REVOKED):
        return "revoked"
    if state == State.REAUTH_REQUIRED:
        return "reauth_required"
    expiring = expires_at is None or expires_at <= now + timedelta(seconds=LEASE_SECONDS)
    renewing = refreshing_until is not None and refreshing_until > now
    return "refreshing" if expiring or renewing else None


def problem_of(error: PlatformError) -> Problem:
    """What a person is told of a platform's error while they connect."""
    match error:
        case Misconfigured():
            return PlatformMisconfigured(error.detail)
        case ReauthorisationNeeded() | Rejected():
            return AuthorisationFailed(error.detail)
        case RateLimited():
            return PlatformUnavailable("The platform asks us to wait.", retry_after_seconds=60)
        case _:
            return PlatformUnavailable()


def event_word(code: str) -> str:
    """A platform's error code as an event may carry it."""
    word = code.lower()
    return word if re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,99}", word) else "unknown"
