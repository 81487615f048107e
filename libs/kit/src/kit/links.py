"""Links to stored objects: a signed, expiring right to read one object, for those who have no passport.

A platform that fetches media by itself is given one as part of an address. It is a JWT like a passport, but
addressed to the object store (`aud`), so that neither can pass for the other. Who has it can read: it is a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from kit.clock import Clock
from kit.keys import BadSignature, SigningKey, TrustedKeys
from kit.secret import Secret

LIFETIME = timedelta(hours=1)
"""Platforms fetch within minutes, some again after a failure. A link that got lost must not be good for longer."""

TOKEN_CHARACTERS_MAX = 2048
"""Three times a token with a long key. A longer one is not worth decoding."""

_AUDIENCE = "object"
_ALGORITHMS = ["Ed25519"]


class BadLink(Exception):
    """The token gives no right: expired, altered, not by the one who may sign, or no link at all."""


@dataclass(frozen=True)
class LinkedObject:
    """What a link leads to. The reader needs no look-up: all that an answer's headers say is signed."""

    key: str
    content_type: str
    size_bytes: int


class LinkIssuer:
    """Makes links in the name of one service."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, linked: LinkedObject) -> Secret:
        """A token, safe in a URL's path, that is good for `LIFETIME`."""
        now, key = int(self._clock.now().timestamp()), self._key.present
        claims: dict[str, Any] = {
            "iss": self._key.service,
            "aud": _AUDIENCE,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "key": linked.key,
            "type": linked.content_type,
            "size": linked.size_bytes,
        }
        return Secret(jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key.jwk, algorithms=_ALGORITHMS))


class LinkReader:
    """Verifies links that one service made; nobody else's count."""

    def __init__(self, issuer: str, trusted: TrustedKeys, clock: Clock) -> None:
        self._issuer = issuer
        self._trusted = trusted
        self._clock = clock

    def read(self, token: str) -> LinkedObject:
        """What the token leads to; raises `BadLink` for whatever is wrong with it."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise BadLink
        try:
            kid = str(jws.extract_compact(token.encode()).headers().get("kid"))
            key = self._trusted.token_key(kid, now=self._clock.now())
            if key.service != self._issuer:
                raise BadLink
            return self._read(jwt.decode(token, key.jwk, algorithms=_ALGORITHMS).claims)
        except (JoseError, BadSignature, ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadLink from error

    def _read(self, claims: dict[str, Any]) -> LinkedObject:
        if claims["iss"] != self._issuer or claims["aud"] != _AUDIENCE:
            raise ValueError("issuer or audience")
        if claims["exp"] <= self._clock.now().timestamp() or claims["exp"] - claims["iat"] > LIFETIME.total_seconds():
            raise ValueError("time")
        key, content_type, size = claims["key"], claims["type"], claims["size"]
        if not isinstance(key, str) or not isinstance(content_type, str) or type(size) is not int:
            raise TypeError("claims")
        return LinkedObject(key, content_type, size)
