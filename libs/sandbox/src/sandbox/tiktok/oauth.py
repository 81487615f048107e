"""The imitated Login Kit: consent page, code, rotating tokens, revocation."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import MediaType, Response, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from sandbox.consent import Choice, page
from sandbox.tiktok.answers import AnyRequest, OAuthError, flat
from sandbox.tiktok.platform_state import REVOKED_BY_DEVELOPER, TikTokState
from sandbox.tiktok.state import ACCESS_SECONDS, CODE_SECONDS, REFRESH_SECONDS, SCOPES, Asked, Client, Code, Grant


def create_router(state: TikTokState) -> Router:
    """Routes of the authorisation page and the token endpoint."""
    return Router("/", route_handlers=[*_pages(state), *_endpoints(state)])


def _pages(state: TikTokState) -> list[HTTPRouteHandler]:
    """What the person sees."""

    @get("/v2/auth/authorize", media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        try:
            asked = _read_request(state, dict(request.query_params))
        except OAuthError as error:
            return Response(f"<h1>{error.error}</h1><p>{error.description}</p>", status_code=400)
        request_id = secrets.token_urlsafe(16)
        state.asked[request_id] = asked
        return Response(_consent_page(state, asked, request_id))

    @post("/v2/auth/authorize")
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        account = state.accounts.get(str(form.get("account")))
        if asked is None or account is None:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        answer = {"state": asked.state}
        if form.get("decision") == "allow":
            granted = [scope for scope in asked.scopes if scope in form.getall("scopes", [])]
            code = f"{secrets.token_urlsafe(24)}*1!{secrets.randbelow(10_000)}"
            expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
            state.codes[code] = Code(asked, account.open_id, granted, expires_at)
            answer |= {"code": code, "scopes": ",".join(granted)}
        else:
            answer |= {"error": "access_denied", "error_description": "The user refused."}
        return Redirect(f"{asked.redirect_uri}?{urlencode(answer)}", status_code=302)

    return [show, decide]


def _endpoints(state: TikTokState) -> list[HTTPRouteHandler]:
    """What the application calls."""

    @post("/v2/oauth/token", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        client = _authenticate(state, form)
        match form.get("grant_type"):
            case "authorization_code":
                return flat(_tokens(_redeem_code(state, client, form)))
            case "refresh_token":
                return flat(_tokens(_rotate(state, client, form)))
            case _:
                raise OAuthError("unsupported_grant_type", "The grant type is not supported.")

    @post("/v2/oauth/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> Response[bytes]:
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        client = _authenticate(state, form)
        grant = state.grant_of(form.get("token", ""))
        if grant is None or grant.client_key != client.client_key:
            raise _dead("Access token is invalid or expired.")
        state.end(grant, reason=REVOKED_BY_DEVELOPER)
        return Response(b"", status_code=200)

    return [token, revoke]


def _consent_page(state: TikTokState, asked: Asked, request_id: str) -> str:
    return page(
        platform="TikTok",
        client=asked.client_key,
        request_id=request_id,
        action="/v2/auth/authorize/",
        accounts=[Choice(a.open_id, f"{a.display_name} (@{a.username})") for a in state.accounts.values()],
        scopes=asked.scopes,
    )


def _read_request(state: TikTokState, query: dict[str, Any]) -> Asked:
    client = state.clients.get(query.get("client_key", ""))
    if client is None:
        raise OAuthError("invalid_client", "client_key is unknown")
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_uri or (client.redirect_uris and redirect_uri not in client.redirect_uris):
        raise OAuthError("invalid_request", "redirect_uri is not registered")
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    scopes = [scope for scope in query.get("scope", "").split(",") if scope]
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise OAuthError("invalid_scope", "scope must be a comma separated list of known scopes")
    challenge = query.get("code_challenge")
    if challenge and query.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    return Asked(client.client_key, redirect_uri, query.get("state", ""), scopes, challenge)


def _authenticate(state: TikTokState, form: dict[str, str]) -> Client:
    client = state.clients.get(form.get("client_key", ""))
    secret = form.get("client_secret", "")
    if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        raise OAuthError("invalid_client", "Client key or secret is incorrect.")
    return client


def _redeem_code(state: TikTokState, client: Client, form: dict[str, str]) -> Grant:
    code = state.codes.pop(form.get("code", ""), None)
    if code is None or code.expires_at <= state.clock.now() or code.asked.client_key != client.client_key:
        raise _dead("Authorization code is invalid or expired.")
    if form.get("redirect_uri") != code.asked.redirect_uri:
        raise OAuthError("invalid_request", "Redirect_uri is not matched with the uri when requesting code.")
    if code.asked.challenge:
        verifier = form.get("code_verifier", "")
        # Hex, unlike RFC 7636: a client that sends base64url must fail here as it does at TikTok.
        matches = hashlib.sha256(verifier.encode()).hexdigest() == code.asked.challenge
        if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier) or not matches:
            raise OAuthError("invalid_request", "Code verifier or code challenge is invalid.")
    grant = Grant(client.client_key, code.open_id, code.scopes)
    grant.rotate(state.clock.now())
    state.grants.append(grant)
    return grant


def _rotate(state: TikTokState, client: Client, form: dict[str, str]) -> Grant:
    presented, now = form.get("refresh_token", ""), state.clock.now()
    for grant in state.grants:
        if grant.refresh_token == presented and grant.client_key == client.client_key:
            if grant.revoked or grant.refresh_expires_at <= now:
                break
            grant.rotate(now)
            return grant
    raise _dead("Refresh token is invalid or expired.")


def _dead(description: str) -> OAuthError:
    """With status 200, as seen in the field: a client must look at the body."""
    return OAuthError("invalid_grant", description, status=200)


def _tokens(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "expires_in": ACCESS_SECONDS,
        "open_id": grant.open_id,
        "refresh_expires_in": REFRESH_SECONDS,
        "refresh_token": grant.refresh_token,
        "scope": ",".join(grant.scopes),
        "token_type": "Bearer",
    }
