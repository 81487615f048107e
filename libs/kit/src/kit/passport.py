"""Short-lived proofs of who is calling, carried between services as a bearer token.

auth signs passports for people (after it has seen their session or one of their API keys), every service signs its own
for calls in its own name. A passport is a JWT (RFC 7519) with Ed25519 (RFC 9864) that lives for a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from contracts.access import PERMISSIONS, PERSONAL, Permission, Role
from joserfc import jws, jwt
from joserfc.errors import JoseError
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kit.clock import Clock
from kit.keys import BadSignature, SigningKey, TrustedKeys
from kit.problems import Forbidden, NotFound, SessionNeeded, Unauthenticated

LIFETIME = timedelta(seconds=60)
"""Long enough for one request through two services, short enough that a lost one is worthless."""

PEOPLE_ISSUER = "auth"
"""The only service that may vouch for a person."""

_ALGORITHMS = ["Ed25519"]

Item = TypeVar("Item")

Reach = list[UUID] | None
"""The only connections that are there for a caller, as a query takes them; None for all."""


@dataclass(frozen=True)
class KeyLimits:
    """What an API key narrows its person to. `connection_ids`: the only ones it reaches; None where it reaches all."""

    key_id: UUID
    permissions: frozenset[Permission]
    connection_ids: frozenset[UUID] | None = None


@dataclass(frozen=True)
class Caller:
    """Who a request comes from: a person (in a workspace or not, by themself or by a key of theirs) or a service."""

    account_id: UUID | None = None
    session_id: UUID | None = None
    workspace_id: UUID | None = None
    role: Role | None = None
    service: str | None = None
    key: KeyLimits | None = None

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
        allowed = self.role is not None and permission in PERMISSIONS[self.role]
        return allowed and (self.key is None or permission in self.key.permissions)

    @property
    def reach(self) -> Reach:
        limit = self.key.connection_ids if self.key else None
        return None if limit is None else sorted(limit)

    def reaches(self, *connection_ids: UUID) -> bool:
        """Whether what concerns all these connections is there for the caller at all."""
        limit = self.key.connection_ids if self.key else None
        return limit is None or limit.issuperset(connection_ids)

    def reached(self, items: Iterable[Item], connections_of: Callable[[Item], Iterable[UUID]]) -> list[Item]:
        """Those of the items that concern no connection out of the caller's reach."""
        return [item for item in items if self.reaches(*connections_of(item))]


class Passports:
    """Issues passports in the name of one service and verifies those of all."""

    def __init__(self, key: SigningKey, trusted: TrustedKeys, clock: Clock) -> None:
        self._key = key
        self._trusted = trusted
        self._clock = clock

    def issue(self, caller: Caller) -> str:
        """A signed passport for `caller`, valid for `LIFETIME`."""
        now, key = self._clock.now(), self._key.present
        claims: dict[str, Any] = {
            "iss": self._key.service,
            "sub": f"service:{caller.service}" if caller.service else f"account:{caller.account_id}",
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        if caller.session_id:
            claims["sid"] = str(caller.session_id)
        if caller.workspace_id and caller.role:
            claims |= {"wid": str(caller.workspace_id), "role": caller.role.value}
        if caller.key:
            claims["key"] = _claim_of(caller.key)
        return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key.jwk, algorithms=_ALGORITHMS)

    def issue_own(self) -> str:
        """A passport for a call in this service's own name."""
        return self.issue(Caller(service=self._key.service))

    def verify(self, token: str) -> Caller:
        """Who the token vouches for; raises `Unauthenticated` for whatever is wrong with it."""
        try:
            kid = str(jws.extract_compact(token.encode()).headers().get("kid"))
            key = self._trusted.token_key(kid, now=self._clock.now())
            return self._read(key.service, jwt.decode(token, key.jwk, algorithms=_ALGORITHMS).claims)
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
            key=_key_of(claims["key"]) if "key" in claims else None,
        )


def _claim_of(key: KeyLimits) -> dict[str, Any]:
    claim: dict[str, Any] = {"id": str(key.key_id), "may": sorted(key.permissions)}
    if key.connection_ids is not None:
        claim["connections"] = sorted(map(str, key.connection_ids))
    return claim


def _key_of(claim: dict[str, Any]) -> KeyLimits:
    named = claim.get("connections")
    return KeyLimits(
        UUID(claim["id"]),
        frozenset(map(Permission, claim["may"])),
        None if named is None else frozenset(map(UUID, named)),
    )


Connection = ASGIConnection[Any, Any, Any, Any]


def caller_of(connection: Connection) -> Caller:
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


@dataclass(frozen=True)
class Guard:
    """What a route needs. `permission` in the workspace that its path names, or just a person; `services` instead.

    `session`: the person themself, not a key of theirs.
    """

    permission: Permission | None = None
    session: bool = True
    services: frozenset[str] = frozenset()

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        # It waits for nothing; but one that is no coroutine is run in a thread, which costs more than all it does.
        caller = caller_of(connection)
        if self.services:
            if caller.service not in self.services:
                raise Forbidden("service")
            return
        if caller.account_id is None:
            raise Unauthenticated()
        if self.session and caller.key is not None:
            raise SessionNeeded()
        if self.permission is not None:
            _check(caller, self.permission, connection.path_params)


def _check(caller: Caller, permission: Permission, named: Mapping[str, Any]) -> None:
    if "workspace_id" in named and caller.workspace_id != named["workspace_id"]:
        raise Forbidden("workspace.member")
    if not caller.may(permission):
        raise Forbidden(permission.value)
    if "connection_id" in named and not caller.reaches(named["connection_id"]):
        raise NotFound()


def person() -> Guard:
    """Guard: someone is signed in, themself."""
    return Guard()


def permission(needed: Permission, *, session: bool = False) -> Guard:
    """Guard: the person, or with `session` unset a key of theirs, may do this in the workspace that the path names."""
    return Guard(needed, session=session or needed in PERSONAL)


def service(*names: str) -> Guard:
    """Guard: the call comes from one of these services."""
    return Guard(services=frozenset(names))
