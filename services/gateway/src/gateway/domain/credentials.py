"""What a client shows to say who it is: the cookie of a browser, or the key of a program; never both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from contracts import api_keys
from kit.problems import KeyRefused, Problem
from kit.secret import Secret

from gateway.domain import cookies


class TwoCredentials(Problem):
    """Which of the two is meant is not for us to guess."""

    code = "two-credentials"
    title = "Send the session cookie or an API key, not both"


@dataclass(frozen=True)
class SessionToken:
    """Of a person in a browser."""

    token: Secret


@dataclass(frozen=True)
class ApiKey:
    """Of a program."""

    key: Secret

    @property
    def bucket(self) -> str:
        """What its requests are counted under: nothing that a list of keys shows."""
        return hashlib.sha256(self.key.reveal().encode()).hexdigest()[:32]

    def check(self) -> None:
        """Raise `KeyRefused` for what nobody can have made; auth need not be asked."""
        if not api_keys.is_well_formed(self.key.reveal()):
            raise KeyRefused()


Credential = SessionToken | ApiKey


def credential(cookie: str, authorization: str, *, secure: bool) -> Credential | None:
    """What the two headers show. Other schemes than Bearer are for others than us. Raises `TwoCredentials`."""
    token = cookies.session_token(cookie, secure=secure)
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return SessionToken(token) if token else None
    if token is not None:
        raise TwoCredentials()
    return ApiKey(Secret(key.strip()))
