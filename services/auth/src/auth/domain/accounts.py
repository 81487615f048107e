"""Accounts: what a person tells about themself, and the rules for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from uuid import UUID
from zoneinfo import available_timezones

from kit.problems import Conflict, Invalid, Problem, Unauthenticated

EMAIL_LENGTH_MAX = 254
"""The longest address that mail can be sent to (RFC 5321)."""

# Without what would have to be quoted in a mail's header (RFC 5322, 3.2.3): no address of a person has it.
_EMAIL = re.compile(r"""[^@\s\x00-\x1f"(),:;<>\[\\\]]{1,64}@[a-z0-9.-]+\.[a-z0-9-]{2,63}""")

SIGN_UP_LIFETIME = timedelta(days=7)
"""How long an address that nobody verifies is kept."""


class AccountState(StrEnum):
    """How far an account has come."""

    UNVERIFIED = "unverified"
    """Somebody signed up; who reads the address's mail has not said that it was them. It does not exist for sign-in."""

    WAITING = "waiting"
    """An operator decides."""

    ACTIVE = "active"


class SignUpMode(StrEnum):
    """Who may sign up at this installation: anybody, whom an operator approves, or whom a member invited."""

    OPEN = "open"
    APPROVAL = "approval"
    CLOSED = "closed"

    @property
    def after_verification(self) -> AccountState:
        return AccountState.WAITING if self is SignUpMode.APPROVAL else AccountState.ACTIVE


class SignUpClosed(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "sign-up-closed"
    title = "Only invited people can sign up here"


class ApprovalPending(Problem):
    """Told only to who has proved that the account is theirs."""

    status = HTTPStatus.FORBIDDEN
    code = "approval-pending"
    title = "This account waits for an operator's approval"


class AddressTaken(Conflict):
    code = "address-taken"
    title = "There is an account with this e-mail address already"


class CredentialsRefused(Unauthenticated):
    """The same for an unknown address and a wrong password."""

    code = "credentials-refused"
    title = "The e-mail address or the password is wrong"


class PasswordRefused(Problem):
    """A signed-in person did not prove that it is them."""

    status = HTTPStatus.FORBIDDEN
    code = "password-refused"
    title = "The password is wrong"


@dataclass(frozen=True)
class Account:
    """A person who can sign in."""

    account_id: UUID
    email: str
    full_name: str | None
    company: str | None
    time_zone: str
    language: str
    created_at: datetime


@dataclass(frozen=True)
class Credential:
    """What a password is checked against."""

    account_id: UUID
    password_hash: str
    state: str

    def check_may_sign_in(self) -> None:
        """Raise `ApprovalPending`. To be asked once the password is known to be right."""
        check_may_sign_in(self.state)


def check_may_sign_in(state: str) -> None:
    """Raise `ApprovalPending`. To be asked once it is known who wants to sign in."""
    if state == AccountState.WAITING:
        raise ApprovalPending()


def normalised(email: str) -> str:
    """An address as it is stored and compared."""
    return email.strip().lower()


def check_sign_up(*, email: str, time_zone: str, age_attested: bool, errors: list[dict[str, str]]) -> None:
    """Raise `Invalid` with every rule that a sign-up breaks, besides `errors`. `email` is normalised."""
    if not is_address(email):
        errors.append(NO_ADDRESS)
    if time_zone not in time_zones():
        errors.append(UNKNOWN_TIME_ZONE)
    if not age_attested:
        errors.append({"pointer": "/age_attested", "detail": "Only people of 16 years and older may sign up."})
    if errors:
        raise Invalid(errors=errors)


def check_address(email: str) -> None:
    if not is_address(email):
        raise Invalid(errors=[NO_ADDRESS])


def is_address(email: str) -> bool:
    """Whether a normalised text can be an e-mail address."""
    return len(email) <= EMAIL_LENGTH_MAX and _EMAIL.fullmatch(email) is not None


def check_time_zone(time_zone: str) -> None:
    if time_zone not in time_zones():
        raise Invalid(errors=[UNKNOWN_TIME_ZONE])


@cache
def time_zones() -> frozenset[str]:
    """The IANA time zones this system knows."""
    return frozenset(available_timezones())


NO_ADDRESS = {"pointer": "/email", "detail": "This is not an e-mail address."}
UNKNOWN_TIME_ZONE = {"pointer": "/time_zone", "detail": "This is no IANA time zone such as Europe/Berlin."}
