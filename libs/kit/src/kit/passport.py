"""Short-lived proofs of who is calling, carried between services as a bearer token.

auth signs passports for people (after it has seen their session), every service signs its own for calls
in its own name. A passport is a JWT (RFC 7519) with Ed25519 (RFC 9864) that lives for a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.access import PERMISSIONS, Permission, Role
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kit.clock import Clock
from kit.keys import BadSignature, SigningKey, TrustedKeys
from kit.problems import Forbidden, Unauthenticated

LIFETIME = timedelta(seconds=60)
"""Long enough for one request through two services, short enough that a lost one is worthless."""

PEOPLE_ISSUER = "auth"
"""The only service that may vouch for a person."""

_ALGORITHMS = ["Ed25519"]


@dataclass(frozen=True)
class Caller:
    """Who a request comes from: a person (in a workspace or not) or a service."""

    account_id: UUID | None = None
    session_id: UUID | None = None
    workspace_id: UUID | None = None
    role: Role | None = None
    service: str | None = None

    @property
    def account(self) -> UUID:
        """The person; raises the problem a stranger gets."""
        if self.account_id is None:
            raise Unauthenticated()
        return self.account_id

    @property
    def workspace(self) -> UUID:
        """The workspace the person was verified to be a member of."""
        if self.workspace_id is None:
            raise Forbidden("workspace.member")
        return self.workspace_id

    def may(self, permission: Permission) -> bool:
        return self.role is not None and permission in PERMISSIONS[self.role]


class Passports:
    """Issues passports in the name of one service and verifies those of all."""

    def __init__(self, key: SigningKey, trusted: TrustedKeys, clock: Clock) -> None:
        self._key = jwk.OKPKey.import_key(key.private)
        self._service = key.service
        self._trusted = trusted
        self._clock = clock
        self._public: dict[str, jwk.OKPKey] = {}

    def issue(self, caller: Caller) -> str:
        """A signed passport for `caller`, valid for `LIFETIME`."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._service,
            "sub": f"service:{caller.service}" if caller.service else f"account:{caller.account_id}",
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        if caller.session_id:
            claims["sid"] = str(caller.session_id)
        if caller.workspace_id and caller.role:
            claims |= {"wid": str(caller.workspace_id), "role": caller.role.value}
        return jwt.encode({"alg": "Ed25519", "kid": self._service}, claims, self._key, algorithms=_ALGORITHMS)

    def issue_own(self) -> str:
        """A passport for a call in this service's own name."""
        return self.issue(Caller(service=self._service))

    def verify(self, token: str) -> Caller:
        """Who the token vouches for; raises `Unauthenticated` for whatever is wrong with it."""
        try:
            issuer = str(jws.extract_compact(token.encode()).headers().get("kid"))
            claims = jwt.decode(token, self._key_of(issuer), algorithms=_ALGORITHMS).claims
            return self._read(issuer, claims)
        except (JoseError, BadSignature, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unauthenticated() from error

    def _read(self, issuer: str, claims: dict[str, Any]) -> Caller:
        # Compared as a number: one that no date can hold would otherwise be an error of its own.
        if claims["iss"] != issuer or claims["exp"] <= self._clock.now().timestamp():
            raise ValueError("issuer or time")
        # A passport is for every service. What names its audience was made for another purpose, as a link is.
        if "aud" in claims:
            raise ValueError("audience")
        kind, _, subject = claims["sub"].partition(":")
        if kind == "service" and subject == issuer:
            return Caller(service=issuer)
        if kind != "account" or issuer != PEOPLE_ISSUER:
            raise ValueError("subject")
        return Caller(
            account_id=UUID(subject),
            session_id=UUID(claims["sid"]) if "sid" in claims else None,
            workspace_id=UUID(claims["wid"]) if "wid" in claims else None,
            role=Role(claims["role"]) if "role" in claims else None,
        )

    def _key_of(self, issuer: str) -> jwk.OKPKey:
        if issuer not in self._public:
            self._public[issuer] = jwk.OKPKey.import_key(self._trusted.signing_key(issuer))
        return self._public[issuer]


Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """The verified caller of a request; raises `Unauthenticated` if there is none."""
    known = connection.state.get("caller")
    if isinstance(known, Caller):
        return known
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated()
    passports: Passports = connection.app.state.passports
    caller = passports.verify(token)
    connection.state["caller"] = caller
    return caller


def person() -> Guard:
    """Guard: someone is signed in."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if caller_of(connection).account_id is None:
            raise Unauthenticated()

    return guard


def permission(needed: Permission) -> Guard:
    """Guard: the person may do this in the workspace that the path names."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller = caller_of(connection)
        if caller.account_id is None:
            raise Unauthenticated()
        named = connection.path_params.get("workspace_id")
        if named is not None and caller.workspace_id != named:
            raise Forbidden("workspace.member")
        if not caller.may(needed):
            raise Forbidden(needed.value)

    return guard


def service(*names: str) -> Guard:
    """Guard: the call comes from one of these services."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if caller_of(connection).service not in names:
            raise Forbidden("service")

    return guard
