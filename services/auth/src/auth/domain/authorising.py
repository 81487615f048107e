"""Authorisations on their way: what is kept meanwhile, which accounts one opens, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from kit.problems import Conflict, Invalid, NotFound, Problem, Unavailable
from platforms.errors import Misconfigured, PlatformError, RateLimited, ReauthorisationNeeded, Rejected
from platforms.shape import Profile

from auth.domain.vault import Ciphertext, WrappedKey

CONNECT_SECONDS = 20
"""How long each step of connecting may take at a platform: a person waits for it."""

AUTHORISATION_LIFETIME = timedelta(minutes=10)
"""How long a person may be away at the platform."""

DENIALS = frozenset({"access_denied", "user_cancelled_authorize", "user_cancelled_login"})
"""What platforms call a person's no: RFC 6749 has the first word, LinkedIn two of its own."""

CHOICE_LIFETIME = timedelta(minutes=10)
"""How long a person may look at the accounts that an authorisation opens; meanwhile its grant is kept sealed."""

CHOSEN_MAX = 50
"""Accounts connected with one choice: an agency's person has dozens of Pages, seldom more."""


class Stage(StrEnum):
    """How far an authorisation has come."""

    AWAY = "away"
    CHOOSING = "choosing"


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


class AccountNotOffered(Invalid):
    code = "account-not-offered"
    title = "The authorisation does not open this account"

    def __init__(self, position: int) -> None:
        super().__init__(errors=[{"pointer": f"/account_ids/{position}", "detail": "It is not among the accounts."}])


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
class Authorisation:
    """What is kept sealed of an authorisation: what it was begun with, then the grant until accounts are chosen."""

    workspace_id: UUID
    platform: str
    wrapped_key: bytes
    key_id: str
    nonce: bytes
    ciphertext: bytes
    expires_at: datetime

    @property
    def key(self) -> WrappedKey:
        return WrappedKey(self.wrapped_key, self.key_id)

    @property
    def text(self) -> Ciphertext:
        return Ciphertext(self.nonce, self.ciphertext)


@dataclass(frozen=True)
class LapsedChoice:
    """A sealed grant of which nobody has chosen an account in time."""

    state_hash: bytes
    platform: str
    wrapped_key: bytes
    key_id: str
    nonce: bytes
    ciphertext: bytes

    @property
    def key(self) -> WrappedKey:
        return WrappedKey(self.wrapped_key, self.key_id)

    @property
    def text(self) -> Ciphertext:
        return Ciphertext(self.nonce, self.ciphertext)


@dataclass(frozen=True)
class OfferedAccount:
    """One of the accounts that an authorisation opens. `account_id` is the platform's own."""

    account_id: str
    handle: str
    display_name: str
    avatar_url: str | None
    account_type: str | None

    @classmethod
    def of(cls, profile: Profile) -> OfferedAccount:
        return cls(profile.account_id, profile.handle, profile.display_name, profile.avatar_url, profile.account_type)


@dataclass(frozen=True)
class ChoiceNeeded:
    """The authorisation opens several accounts; nothing is connected until some are chosen."""

    authorisation_id: UUID
    workspace_id: UUID
    platform: str
    accounts: list[OfferedAccount]
    expires_at: datetime
    state: Literal["choice_needed"] = "choice_needed"


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
