"""Sign-in through an external OpenID provider: what is kept of the way there and back, and what we believe of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from uuid import UUID

from kit.problems import Conflict, Invalid, NotFound, Problem, Unavailable
from kit.secret import Secret

STATE_BYTES = 32

AWAY = timedelta(minutes=10)
"""How long a person may be at the provider, and how long they may take to complete a new account afterwards."""

STEP_SECONDS = 10
"""How long one question to a provider may take: a person waits for it."""

SKEW_SECONDS = 60
"""How far a provider's clock may be from ours."""

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What an ID token may be signed with. Never `none`, and never a shared secret, which proves nothing to others."""

SUBJECT_LENGTH_MAX = 255
"""As OpenID Connect Core 1.0, section 2 says."""

IDENTITIES_MAX = 10
"""Of one account: nobody has more providers, and a stolen session cannot fill the table."""

_FULL_NAME_LENGTH_MAX = 200


class SignInMode(StrEnum):
    """How people sign in: with passwords and providers, or through providers alone."""

    PASSWORD = "password"  # noqa: S105  # a word, not a password
    OPENID = "openid"


class Purpose(StrEnum):
    """What a person went to the provider for."""

    SIGN_IN = "sign_in"
    LINK = "link"
    PROVE = "prove"


class ProviderUnknown(Invalid):
    def __init__(self) -> None:
        super().__init__(errors=[{"pointer": "/provider", "detail": "There is no such provider here."}])


class ProviderUnavailable(Unavailable):
    code = "provider-unavailable"
    title = "The provider does not answer as it should; try again shortly"


class SignInUnknown(NotFound):
    """Also for one that was used already, took too long or was started in another browser."""

    code = "sign-in-unknown"
    title = "This sign-in is not open (any more); start it again"


class SignInDenied(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "sign-in-denied"
    title = "The provider was not allowed to sign you in"


class SignInFailed(Conflict):
    code = "sign-in-failed"
    title = "The provider did not complete the sign-in; start it again"


class AddressNotVerified(Problem):
    """Without an address that the provider has verified there is no account: nobody else's is claimed so."""

    status = HTTPStatus.FORBIDDEN
    code = "address-not-verified"
    title = "The provider does not vouch for an e-mail address of yours"


class AddressNotAllowed(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "address-not-allowed"
    title = "Addresses of this domain may not sign in here"


class IdentityNotLinked(Conflict):
    """The same address proves nothing: the person signs in to the account they have, and links the provider there."""

    code = "identity-not-linked"
    title = "There is an account with this e-mail address; sign in to it and link this provider"


class IdentityTaken(Conflict):
    code = "identity-taken"
    title = "This identity belongs to another account"


class TooManyIdentities(Conflict):
    code = "too-many-identities"
    title = f"An account has at most {IDENTITIES_MAX} linked identities"


class LastWayIn(Conflict):
    code = "last-way-in"
    title = "Without this identity nobody could sign in to the account any more"


class SignInElsewhere(Problem):
    """Signing in is left to providers: no password is taken, checked or stored, and no passkey signs in by itself."""

    status = HTTPStatus.FORBIDDEN
    code = "sign-in-elsewhere"
    title = "Here one signs in through a provider only"


@dataclass(frozen=True)
class ConfiguredProvider:
    """A provider as the operator named it. `domains`: whose addresses may come through it; empty: everybody's.

    `hosts`: what else may be called besides the issuer's own host, where its endpoints lie on others.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: Secret | None
    domains: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    def admits(self, address: str) -> bool:
        return not self.domains or address.rpartition("@")[2] in self.domains


@dataclass(frozen=True)
class Started:
    """A person who is away at a provider. `account_id` and `session_id`: of those who were signed in when they left."""

    provider: str
    purpose: str
    account_id: UUID | None
    session_id: UUID | None
    expires_at: datetime


@dataclass(frozen=True)
class Vouched:
    """Who a provider says is there.

    `email` only if it verified it; `authenticated_at`: when they last proved to it who they are, if it says so.
    """

    issuer: str
    subject: str
    email: str | None
    full_name: str | None
    authenticated_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """A new person whom a provider vouched for and who has not told yet what only they can.

    There is no account so far; `account_id` will be theirs.
    """

    account_id: UUID
    issuer: str
    subject: str
    email: str
    full_name: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Identity:
    """A person at a provider who may sign in to an account here. `email`: what the provider called them when linked."""

    identity_id: UUID
    account_id: UUID
    issuer: str
    subject: str
    email: str | None
    linked_at: datetime


@dataclass(frozen=True)
class Owner:
    """The account that an identity belongs to. `state`: an `auth.domain.accounts.AccountState`."""

    account_id: UUID
    state: str


@dataclass(frozen=True)
class Journey:
    """The secrets of one way to a provider and back. None is stored: all follow from the state, which travels through
    the provider, and the browser's token, which does not, so that only who holds both can come back.
    """

    state: str = field(repr=False)
    browser: Secret

    @property
    def state_hash(self) -> bytes:
        return hashlib.sha256(self.state.encode()).digest()

    @property
    def browser_hash(self) -> bytes:
        return browser_hash(self.browser)

    @property
    def nonce(self) -> str:
        """What the ID token must repeat."""
        return self._derive("nonce")

    @property
    def verifier(self) -> Secret:
        """What redeems the code (PKCE, RFC 7636): 43 characters of 256 bits."""
        return Secret(self._derive("verifier"))

    def _derive(self, purpose: str) -> str:
        message = f"openid:{purpose}:{self.state}".encode()
        digest = hmac.digest(self.browser.reveal().encode(), message, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def browser_hash(browser: Secret) -> bytes:
    """What is stored of a browser's token."""
    return hashlib.sha256(browser.reveal().encode()).digest()


def readable_name(value: object) -> str | None:
    """A person's name as a provider tells it, if it can be one here."""
    name = re.sub(r"\s+", " ", value).strip() if isinstance(value, str) else ""
    return name if 0 < len(name) <= _FULL_NAME_LENGTH_MAX and name.isprintable() else None
