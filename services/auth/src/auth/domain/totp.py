"""Codes of an authenticator app: six digits that change every 30 seconds (RFC 6238)."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
from kit.secret import Secret

ISSUER = "Signoff"

WINDOW = 1
"""Steps before and after the present one whose code is taken: clocks differ, and people type slowly."""

_STEP_SECONDS = 30


def new_secret() -> Secret:
    """160 bits in base32, as RFC 4226 recommends."""
    return Secret(pyotp.random_base32())


def address_of(secret: Secret, email: str) -> Secret:
    """What an app reads from a picture of it (otpauth, the key URI format)."""
    return Secret(pyotp.TOTP(secret.reveal()).provisioning_uri(name=email, issuer_name=ISSUER))


def step_of(secret: Secret, code: str, at: datetime) -> int | None:
    """The time step whose code this is, if it is one of those around `at`."""
    digits = "".join(code.split())
    present = int(at.timestamp()) // _STEP_SECONDS
    app = pyotp.TOTP(secret.reveal(), interval=_STEP_SECONDS)
    found = None
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(app.at(step * _STEP_SECONDS).encode(), digits.encode()):
            found = step
    return found
