"""Who calls the imitated data server, and what they may do there."""

from __future__ import annotations

import fnmatch
from urllib.parse import parse_qs

from sandbox.bluesky.answers import AnyRequest, XrpcError
from sandbox.bluesky.dpop import ProofChecker, ProofRefused
from sandbox.bluesky.state import BlueskyState, Session


def authenticate(request: AnyRequest, state: BlueskyState, proofs: ProofChecker) -> Session:
    """The session behind a token, if the request is signed with that session's key."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind not in ("DPoP", "Bearer") or not token:
        raise XrpcError(401, "AuthMissing", "Authentication Required")
    if kind == "Bearer":
        return _by_app_password(state, token)
    try:
        thumbprint = proofs.check(request, access_token=token)
    except ProofRefused as refused:
        challenge = f'DPoP error="{refused.error}", error_description="Resource server {refused.detail}"'
        raise XrpcError(401, refused.error, refused.detail, {"WWW-Authenticate": challenge}) from None
    for session in state.sessions:
        alive = not session.revoked and session.access_expires_at > state.clock.now()
        if session.access_token == token and session.key_thumbprint == thumbprint and alive:
            blocked = state.accounts[session.did].blocked
            if blocked:
                raise XrpcError(401, blocked, "The account cannot be used")
            return session
    challenge = 'DPoP error="invalid_token", error_description="Token is invalid or expired"'
    raise XrpcError(401, "invalid_token", "Token is invalid or expired", {"WWW-Authenticate": challenge})


def bearer_of(request: AnyRequest) -> str:
    """A token that is worth something without a key: of an app password, or lent."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _by_app_password(state: BlueskyState, token: str) -> Session:
    for session in state.sessions:
        if session.access_token == token and not session.key_thumbprint:
            if session.revoked or session.access_expires_at <= state.clock.now():
                raise XrpcError(400, "ExpiredToken", "Token has expired")
            return session
    raise XrpcError(400, "InvalidToken", "Token could not be verified")


def require_service_scope(session: Session, audience: str, method: str) -> None:
    """Granular scopes name the method, and the service or any."""
    for scope in session.scopes:
        target, _, query = scope.removeprefix("rpc:").partition("?")
        allowed = parse_qs(query).get("aud") or []
        if scope == "transition:generic" or (target == method and set(allowed) & {"*", audience}):
            return
    raise _missing(f"rpc:{method}?aud={audience}")


def require_record_scope(session: Session, collection: str, action: str) -> None:
    """Granular scopes name collection and actions; without actions all are meant."""
    for scope in session.scopes:
        kind, _, rest = scope.partition(":")
        target, _, query = rest.partition("?")
        actions = parse_qs(query).get("action") or ["create", "update", "delete"]
        if scope == "transition:generic" or (kind == "repo" and target in ("*", collection) and action in actions):
            return
    raise _missing(f"repo:{collection}?action={action}")


def require_blob_scope(session: Session, content_type: str) -> None:
    for scope in session.scopes:
        kind, _, pattern = scope.partition(":")
        if scope == "transition:generic" or (kind == "blob" and fnmatch.fnmatchcase(content_type, pattern)):
            return
    raise _missing(f"blob:{content_type}")


def _missing(scope: str) -> XrpcError:
    return XrpcError(403, "ScopeMissingError", f'Missing required scope "{scope}"')
