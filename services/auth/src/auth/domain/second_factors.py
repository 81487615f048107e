"""Second factors: codes of an authenticator app (TOTP), passkeys, and recovery codes for the day both are lost.

A passkey verifies its user by itself, so it is both factors in one and may sign in alone.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

from kit.problems import Conflict, Problem, Unauthenticated
from kit.secret import Secret

from auth.domain.vault import SealedGrant

CEREMONY_LIFETIME = timedelta(minutes=5)
"""From the password to the second factor, or from a challenge to the passkey's answer: time to find the telephone."""

UNCONFIRMED_LIFETIME = timedelta(days=1)
"""An authenticator app that was begun with and never confirmed."""

RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10
"""80 bits: guessing is hopeless, so an unsalted fast hash is enough to store."""

PASSKEYS_MAX = 20
"""More devices than anybody carries."""


class CeremonyPurpose(StrEnum):
    """What a challenge was given out for, and the only thing that it can be answered for."""

    SIGN_IN = "sign_in"
    PASSKEY_ALONE = "passkey_alone"
    PRESENCE = "presence"
    REGISTRATION = "registration"


class CodeRefused(Problem):
    """The same for a wrong code and a right one that was used before."""

    status = HTTPStatus.FORBIDDEN
    code = "code-refused"
    title = "The code is wrong, used or over"


class PasskeyRefused(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "passkey-refused"
    title = "The passkey's answer is not good here"


class CeremonyOver(Unauthenticated):
    code = "ceremony-over"
    title = "This took too long or is done already: begin again"


class SecondFactorNeeded(Problem):
    """The password alone is not enough here."""

    status = HTTPStatus.FORBIDDEN
    code = "second-factor-needed"
    title = "A second factor is needed"


class NoSecondFactor(Conflict):
    code = "no-second-factor"
    title = "There is no second factor to do this with"


class AppExists(Conflict):
    code = "authenticator-app-exists"
    title = "There is an authenticator app already; remove it first"


class PasskeyKnown(Conflict):
    code = "passkey-known"
    title = "This passkey is registered already"


class TooManyPasskeys(Conflict):
    code = "too-many-passkeys"
    title = "There are as many passkeys as an account can have"


class PasskeysNotOffered(Conflict):
    """Browsers have passkeys for a domain only, and PUBLIC_URL names none."""

    code = "passkeys-not-offered"
    title = "This installation has no passkeys"


@dataclass(frozen=True)
class Ceremony:
    """A challenge that waits for its answer. Known by the hash of a token that its client holds."""

    token_hash: bytes
    account_id: UUID | None
    purpose: str
    challenge: bytes
    expires_at: datetime

    def is_good(self, purpose: CeremonyPurpose, now: datetime) -> bool:
        return self.purpose == purpose and now < self.expires_at


@dataclass(frozen=True)
class Totp:
    """An authenticator app: its sealed secret, and the last time step of which a code was used."""

    account_id: UUID
    data_key_id: UUID
    nonce: bytes
    ciphertext: bytes
    confirmed_at: datetime | None
    last_step: int | None

    @property
    def sealed(self) -> SealedGrant:
        return SealedGrant(self.account_id, 0, self.data_key_id, self.nonce, self.ciphertext)


@dataclass(frozen=True)
class NewPasskey:
    """What an authenticator tells when it has made a passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


@dataclass(frozen=True)
class Passkey:
    """A passkey as it is checked. `sign_count` is the highest its authenticator has told; some always tell 0."""

    credential_id: bytes
    account_id: UUID
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class OwnPasskey:
    """A passkey as its owner sees it."""

    passkey_id: UUID
    name: str
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Enrolled:
    """What second factors a person has."""

    app: bool
    passkeys: int
    recovery_codes: int

    @property
    def any(self) -> bool:
        return self.app or self.passkeys > 0

    def methods(self) -> list[str]:
        """What can be asked for at a sign-in."""
        found = {"code": self.app, "passkey": self.passkeys > 0, "recovery_code": self.recovery_codes > 0}
        return [name for name, there in found.items() if there]


@dataclass(frozen=True)
class Given:
    """What somebody shows as a second factor; one of the three."""

    code: str | None = None
    recovery_code: Secret | None = None
    passkey: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CodeOfStep:
    """A right code, to be used up: it was the one of this time step."""

    step: int


@dataclass(frozen=True)
class RecoveryCode:
    """What may be a recovery code, to be used up."""

    code_hash: bytes


@dataclass(frozen=True)
class PasskeyUse:
    """A right answer of a passkey, to be noted with the count that it tells now."""

    passkey: Passkey
    sign_count: int


Proven = CodeOfStep | RecoveryCode | PasskeyUse


def new_recovery_codes() -> list[Secret]:
    """In four groups of letters and digits that nobody mistakes (RFC 4648, base32)."""
    texts = (base64.b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode() for _ in range(RECOVERY_CODES))
    return [Secret("-".join(text[start : start + 4] for start in range(0, len(text), 4))) for text in texts]


def recovery_hash(code: Secret) -> bytes:
    """Whatever a person puts between the groups, and in either case."""
    letters = "".join(character for character in code.reveal().upper() if character.isalnum())
    return hashlib.sha256(letters.encode()).digest()
