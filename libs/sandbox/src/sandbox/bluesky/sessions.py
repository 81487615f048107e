"""Sessions by app password, the older way in: what community clients use, and who lends tokens to other services."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Response

from sandbox.bluesky.access import authenticate, bearer_of, require_service_scope
from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response
from sandbox.bluesky.dpop import ProofChecker
from sandbox.bluesky.state import Account, BlueskyState, LentToken, Session
from sandbox.bluesky.xrpc import Methods

ACCESS_SECONDS = 120 * 60
REFRESH_SECONDS = 90 * 24 * 3600
GRACE_SECONDS = 2 * 3600
LENT_SECONDS_MAX = 30 * 60
EVERYTHING = "transition:generic"


def add_methods(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    _add_ways_in(methods, state)
    _add_inside(methods, state, proofs)


def _add_ways_in(methods: Methods, state: BlueskyState) -> None:
    @methods.procedure("com.atproto.server.createSession")
    async def create_session(request: AnyRequest) -> Response[bytes]:
        body = msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
        account = state.account_of(str(body.get("identifier", "")))
        if account is None or body.get("password") != account.app_password:
            raise XrpcError(401, "AuthenticationRequired", "Invalid identifier or password")
        if account.blocked:
            raise XrpcError(401, account.blocked, "The account cannot be used")
        now = state.clock.now()
        session = Session(account.did, "", "", [EVERYTHING], now + timedelta(seconds=REFRESH_SECONDS))
        _renew(session, now)
        state.sessions.append(session)
        return json_response(_shown(account) | _tokens(session))

    @methods.procedure("com.atproto.server.refreshSession")
    async def refresh_session(request: AnyRequest) -> Response[bytes]:
        session = _by_refresh_token(state, bearer_of(request))
        _renew(session, state.clock.now())
        return json_response(_shown(state.accounts[session.did]) | _tokens(session))

    @methods.procedure("com.atproto.server.deleteSession")
    async def delete_session(request: AnyRequest) -> Response[bytes]:
        session = _by_refresh_token(state, bearer_of(request))
        session.revoked = True
        return Response(b"", status_code=200)


def _add_inside(methods: Methods, state: BlueskyState, proofs: ProofChecker) -> None:
    @methods.query("com.atproto.server.getSession")
    def get_session(request: AnyRequest) -> Response[bytes]:
        return json_response(_shown(state.accounts[authenticate(request, state, proofs).did]))

    @methods.query("com.atproto.server.getServiceAuth")
    def get_service_auth(request: AnyRequest) -> Response[bytes]:
        session, query = authenticate(request, state, proofs), request.query_params
        audience, method, now = query.get("aud", ""), query.get("lxm", ""), state.clock.now()
        if not audience.startswith("did:"):
            raise XrpcError(400, "InvalidRequest", "aud must be a did")
        require_service_scope(session, audience, method)
        until = float(query.get("exp", now.timestamp() + 60))
        if not now.timestamp() < until <= now.timestamp() + LENT_SECONDS_MAX:
            raise XrpcError(400, "BadExpiration", "expiration is in the past or too far in the future")
        token = _jwt({"iss": session.did, "aud": audience, "lxm": method, "exp": int(until)})
        state.lent[token] = LentToken(session.did, audience, method, until)
        return json_response({"token": token})


def _by_refresh_token(state: BlueskyState, token: str) -> Session:
    """A token that was replaced is good for two more hours, and leads to the same successor."""
    now = state.clock.now()
    for session in state.sessions:
        replaced_at = session.replaced.get(token)
        graced = replaced_at is not None and now - replaced_at <= timedelta(seconds=GRACE_SECONDS)
        if token and (token == session.refresh_token or graced) and not session.key_thumbprint:
            if session.revoked:
                raise XrpcError(400, "ExpiredToken", "Token has been revoked")
            if session.ends_at <= now:
                raise XrpcError(400, "ExpiredToken", "Token has expired")
            return session
    raise XrpcError(400, "InvalidToken", "Token could not be verified")


def _renew(session: Session, now: datetime) -> None:
    if session.refresh_token:
        session.replaced[session.refresh_token] = now
    session.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)
    session.ends_at = now + timedelta(seconds=REFRESH_SECONDS)
    session.access_token = _session_jwt(session.did, "com.atproto.appPass", now, ACCESS_SECONDS)
    session.refresh_token = _session_jwt(session.did, "com.atproto.refresh", now, REFRESH_SECONDS)


def _tokens(session: Session) -> dict[str, Any]:
    return {"accessJwt": session.access_token, "refreshJwt": session.refresh_token}


def _shown(account: Account) -> dict[str, Any]:
    return {"did": account.did, "handle": account.handle, "emailConfirmed": True, "active": True}


def _session_jwt(did: str, scope: str, now: datetime, seconds: int) -> str:
    issued = int(now.timestamp())
    return _jwt({"scope": scope, "sub": did, "iat": issued, "exp": issued + seconds})


def _jwt(claims: dict[str, Any]) -> str:
    """Clients look into it. Nobody verifies it: the sandbox knows the tokens it gave."""
    claims |= {"jti": secrets.token_hex(8)}
    parts = [json.dumps(part).encode() for part in ({"typ": "at+jwt", "alg": "HS256"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in [*parts, secrets.token_bytes(32)])
