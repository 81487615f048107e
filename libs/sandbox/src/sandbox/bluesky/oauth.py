"""The imitated authorisation server: pushed requests, consent page, DPoP-bound tokens, revocation."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import MediaType, Response, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from sandbox.bluesky.answers import AnyRequest, OAuthError, json_response
from sandbox.bluesky.dpop import ProofChecker, ProofRefused
from sandbox.bluesky.state import (
    ACCESS_SECONDS,
    CODE_SECONDS,
    NAME,
    REQUEST_SECONDS,
    SESSION_SECONDS,
    Asked,
    BlueskyState,
    Client,
    Code,
    Session,
)
from sandbox.consent import Choice, page

REQUEST_PREFIX = "urn:ietf:params:oauth:request_uri:req-"


def create_router(state: BlueskyState, proofs: ProofChecker) -> Router:
    return Router("/oauth", route_handlers=[*_pages(state), *_endpoints(state, proofs)])


def _pages(state: BlueskyState) -> list[HTTPRouteHandler]:
    """What the person sees."""

    @get("/authorize", media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        request_uri = request.query_params.get("request_uri", "")
        asked = state.asked.get(request_uri)
        known = asked is not None and asked.client_id == request.query_params.get("client_id")
        if asked is None or not known or asked.expires_at <= state.clock.now():
            return Response("<h1>This request is no longer open</h1>", status_code=400)
        accounts = sorted(state.accounts.values(), key=lambda a: asked.login_hint not in (a.handle, a.did))
        return Response(
            page(
                platform="Bluesky",
                client=asked.client_id,
                request_id=request_uri,
                action="/oauth/authorize",
                accounts=[Choice(a.did, f"{a.display_name} (@{a.handle})") for a in accounts],
                scopes=asked.scopes,
            )
        )

    @post("/authorize")
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        account = state.accounts.get(str(form.get("account")))
        if asked is None or account is None:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        answer = {"iss": state.base_url, "state": asked.state}
        if form.get("decision") == "allow":
            granted = [scope for scope in asked.scopes if scope == "atproto" or scope in form.getall("scopes", [])]
            answer["code"] = f"cod-{secrets.token_urlsafe(32)}"
            expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
            state.codes[answer["code"]] = Code(asked, account.did, granted, expires_at)
        else:
            answer |= {"error": "access_denied", "error_description": "The user rejected the request"}
        return Redirect(f"{asked.redirect_uri}?{urlencode(answer)}", status_code=302)

    return [show, decide]


def _endpoints(state: BlueskyState, proofs: ProofChecker) -> list[HTTPRouteHandler]:
    """What the application calls, every time with a proof of its key."""

    @post("/par", status_code=201)
    async def push(request: AnyRequest) -> Response[bytes]:
        thumbprint = _prove(request, proofs)
        asked = _read_request(state, await _form(request), thumbprint)
        request_uri = REQUEST_PREFIX + secrets.token_hex(16)
        state.asked[request_uri] = asked
        return json_response({"request_uri": request_uri, "expires_in": REQUEST_SECONDS}, status=201)

    @post("/token", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        thumbprint, form = _prove(request, proofs), await _form(request)
        match form.get("grant_type"):
            case "authorization_code":
                return json_response(_tokens(_redeem_code(state, form, thumbprint)))
            case "refresh_token":
                return json_response(_tokens(_rotate(state, form, thumbprint)))
            case _:
                raise OAuthError("invalid_request", "Grant type not supported")

    @post("/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> Response[bytes]:
        thumbprint, form = _prove(request, proofs), await _form(request)
        for session in state.sessions:
            held = form.get("token") in (session.access_token, session.refresh_token)
            if held and session.key_thumbprint == thumbprint and not session.revoked:
                session.revoked = True
                state.truth.revoked(NAME, account_id=session.did, client_id=session.client_id)
        return json_response({})

    @get("/jwks", sync_to_thread=False)
    def keys() -> Response[bytes]:
        return json_response({"keys": []})

    return [push, token, revoke, keys]


def _prove(request: AnyRequest, proofs: ProofChecker) -> str:
    try:
        return proofs.check(request)
    except ProofRefused as refused:
        if refused.error == "use_dpop_nonce":
            raise OAuthError("use_dpop_nonce", f"Authorization server {refused.detail}") from None
        raise OAuthError("invalid_dpop_proof", refused.detail, status=401) from None


async def _form(request: AnyRequest) -> dict[str, str]:
    return {str(name): str(value) for name, value in (await request.form()).items()}


def _read_request(state: BlueskyState, form: dict[str, str], thumbprint: str) -> Asked:
    client = state.client_of(form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client_metadata", "Unable to obtain client metadata")
    if not _is_registered(client, form.get("redirect_uri", "")):
        raise OAuthError("invalid_request", "Invalid redirect_uri")
    if form.get("response_type") != "code" or form.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "Only code with S256 is supported")
    if not form.get("code_challenge"):
        raise OAuthError("invalid_request", "code_challenge is required")
    scopes = form.get("scope", "").split()
    if "atproto" not in scopes:
        raise OAuthError("invalid_scope", 'The "atproto" scope is required')
    return Asked(
        client_id=client.client_id,
        redirect_uri=form["redirect_uri"],
        state=form.get("state", ""),
        scopes=scopes,
        challenge=form["code_challenge"],
        key_thumbprint=thumbprint,
        login_hint=form.get("login_hint", ""),
        expires_at=state.clock.now() + timedelta(seconds=REQUEST_SECONDS),
    )


def _is_registered(client: Client, redirect_uri: str) -> bool:
    """A registered address; for the development form any loopback port of a registered path."""
    if redirect_uri in client.redirect_uris:
        return True
    asked = urlsplit(redirect_uri)
    if asked.hostname not in ("127.0.0.1", "::1") or not client.client_id.startswith("http://localhost"):
        return False
    known = [urlsplit(uri) for uri in client.redirect_uris] or [urlsplit("http://127.0.0.1/")]
    return any((uri.hostname, uri.path) == (asked.hostname, asked.path) for uri in known)


def _redeem_code(state: BlueskyState, form: dict[str, str], thumbprint: str) -> Session:
    code = state.codes.pop(form.get("code", ""), None)
    now = state.clock.now()
    if code is None or code.expires_at <= now or code.asked.client_id != form.get("client_id"):
        raise OAuthError("invalid_grant", "Invalid code")
    if code.asked.redirect_uri != form.get("redirect_uri") or code.asked.key_thumbprint != thumbprint:
        raise OAuthError("invalid_grant", "The code was issued for another redirect_uri or key")
    digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if digest.rstrip(b"=").decode() != code.asked.challenge:
        raise OAuthError("invalid_grant", "Invalid code_verifier")
    ends_at = now + timedelta(seconds=SESSION_SECONDS)
    session = Session(code.did, code.asked.client_id, thumbprint, code.scopes, ends_at)
    session.rotate(now)
    state.sessions.append(session)
    return session


def _rotate(state: BlueskyState, form: dict[str, str], thumbprint: str) -> Session:
    presented = form.get("refresh_token", "")
    for session in state.sessions:
        if presented in session.used_refresh_tokens:
            session.revoked = True
            raise OAuthError("invalid_grant", "Refresh token replayed")
        if presented == session.refresh_token and presented:
            if session.revoked or session.key_thumbprint != thumbprint or session.client_id != form.get("client_id"):
                break
            if session.ends_at <= state.clock.now():
                raise OAuthError("invalid_grant", "Refresh token expired")
            session.rotate(state.clock.now())
            return session
    raise OAuthError("invalid_grant", "Invalid refresh token")


def _tokens(session: Session) -> dict[str, Any]:
    return {
        "access_token": session.access_token,
        "token_type": "DPoP",
        "refresh_token": session.refresh_token,
        "scope": " ".join(session.scopes),
        "expires_in": ACCESS_SECONDS,
        "sub": session.did,
    }
