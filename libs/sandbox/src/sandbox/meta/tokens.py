"""The tokens of one product: issued, long-lived, expired, and ended for reasons that have numbers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kit.clock import Clock

from sandbox.meta.answers import AnyRequest, GraphError
from sandbox.meta.clients import Client

SHORT_SECONDS = 5400
LONG_SECONDS = 5_183_944

REMOVED = 458
PASSWORD_CHANGED = 460
EXPIRED = 463
"""Subcodes of error 190."""

MESSAGES = {
    REMOVED: "Error validating access token: The user has not authorized the application.",
    PASSWORD_CHANGED: "Error validating access token: The session has been invalidated because the user changed "
    "their password or Facebook has changed the session for security reasons.",
    EXPIRED: "Error validating access token: Session has expired.",
}


class TokenKind(StrEnum):
    """Whose token it is; a user's and a page's are not the same thing."""

    USER = "USER"
    PAGE = "PAGE"
    APP = "APP"


@dataclass
class Token:
    """One token. `account_id` is what `me` means with it, `user_id` the person behind it in this product's numbers."""

    value: str
    kind: TokenKind
    client_id: str
    user_id: str
    account_id: str
    scopes: list[str]
    issued_at: datetime
    expires_at: datetime | None
    long_lived: bool = False
    ended: int | None = None
    """The subcode that says why it is dead."""

    def why_dead(self, now: datetime) -> int | None:
        if self.ended is not None:
            return self.ended
        return EXPIRED if self.expires_at is not None and self.expires_at <= now else None


class Tokens:
    """Every token that was given out. `prefix` is how the product's tokens begin."""

    def __init__(self, clock: Clock, clients: Mapping[str, Client], *, prefix: str) -> None:
        self._clock = clock
        self._clients = clients
        self._prefix = prefix
        self._by_value: dict[str, Token] = {}

    def issue(
        self,
        kind: TokenKind,
        client_id: str,
        *,
        user_id: str,
        account_id: str,
        scopes: Sequence[str],
        seconds: float | None,
        long_lived: bool = False,
    ) -> Token:
        """A new token, which ends after so many seconds, or never for None."""
        now = self._clock.now()
        token = Token(
            value=self._prefix + secrets.token_urlsafe(60).replace("-", "Z").replace("_", "Z"),
            kind=kind,
            client_id=client_id,
            user_id=user_id,
            account_id=account_id,
            scopes=list(scopes),
            issued_at=now,
            expires_at=None if seconds is None else now + timedelta(seconds=seconds),
            long_lived=long_lived,
        )
        self._by_value[token.value] = token
        return token

    def of(self, user_id: str, client_id: str | None = None) -> list[Token]:
        """The living tokens behind which a person stands."""
        return [
            token
            for token in self._by_value.values()
            if token.user_id == user_id and token.ended is None and client_id in (None, token.client_id)
        ]

    def end(self, user_id: str, *, subcode: int = REMOVED, client_id: str | None = None) -> int:
        """Every token of a person dies, those of their pages too; returns how many."""
        dying = self.of(user_id, client_id)
        for token in dying:
            token.ended = subcode
        return len(dying)

    def expire(self) -> None:
        """Whatever can expire does so now."""
        for token in self._by_value.values():
            if token.expires_at is not None:
                token.expires_at = self._clock.now()

    def find(self, value: str) -> Token:
        """A living token, or the error that tells why it is none."""
        client_id, _, secret = value.partition("|")
        client = self._clients.get(client_id)
        if client is not None and hmac.compare_digest(secret.encode(), client.client_secret.encode()):
            return Token(value, TokenKind.APP, client_id, "", client_id, [], self._clock.now(), None)
        token = self._by_value.get(value)
        if token is None:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        subcode = token.why_dead(self._clock.now())
        if subcode is not None:
            raise GraphError(190, MESSAGES.get(subcode, "Error validating access token"), subcode=subcode, status=401)
        return token

    def authenticate(self, request: AnyRequest, parameters: Mapping[str, str]) -> Token:
        """The token of a request, from its header or its parameters, with the proof that belongs to it."""
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        value = presented if scheme in ("Bearer", "OAuth") else parameters.get("access_token", "")
        if not value:
            raise GraphError(104, "An access token is required to request this resource.")
        token = self.find(value)
        self._check_proof(token, parameters.get("appsecret_proof"))
        return token

    def _check_proof(self, token: Token, proof: str | None) -> None:
        client = self._clients[token.client_id]
        if proof is None:
            if client.proof_required and token.kind is not TokenKind.APP:
                message = "API calls from the server require an appsecret_proof argument"
                raise GraphError(100, message, kind="GraphMethodException")
            return
        expected = hmac.new(client.client_secret.encode(), token.value.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), proof.encode()):
            message = "Invalid appsecret_proof provided in the API argument"
            raise GraphError(100, message, kind="GraphMethodException")
