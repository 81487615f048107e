"""Google's authorisation, imitated: consent page, code, tokens that do not rotate, revocation."""

from __future__ import annotations

import base64
import binascii
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
from sandbox.youtube.answers import AnyRequest, ApiError, OAuthError, document
from sandbox.youtube.platform_state import NAME, YouTubeState
from sandbox.youtube.state import (
    ACCESS_SECONDS,
    CODE_SECONDS,
    IDENTITY,
    LIVE_GRANTS_MAX,
    SCOPES,
    TESTING_REFRESH_SECONDS,
    Asked,
    Client,
    Code,
    Grant,
)

PATH = "/o/oauth2/v2/auth"


def create_router(state: YouTubeState) -> Router:
    """Routes of the authorisation page, the token endpoint and what tells of tokens."""
    return Router("/", route_handlers=[*_pages(state), *_endpoints(state), *_telling(state)])


def _pages(state: YouTubeState) -> list[HTTPRouteHandler]:
    """What the person sees."""

    @get(PATH, media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        try:
            asked = _read_request(state, dict(request.query_params))
        except OAuthError as error:
            return Response(f"<h1>Error 400: {error.error}</h1><p>{error.description}</p>", status_code=400)
        request_id = secrets.token_urlsafe(16)
        state.asked[request_id] = asked
        return Response(_consent_page(state, asked, request_id))

    @post(PATH)
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        channel = state.channels.get(str(form.get("account")))
        if asked is None or channel is None:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        if form.get("decision") != "allow":
            answer = {"error": "access_denied", "state": asked.state}
            return Redirect(f"{asked.redirect_uri}?{urlencode(answer)}", status_code=302)
        granted = [scope for scope in asked.scopes if scope in form.getall("scopes", [])]
        if asked.add_granted:
            granted += [scope for scope in _granted_before(state, asked, channel.channel_id) if scope not in granted]
        code = f"4/0A{secrets.token_urlsafe(48)}"
        expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
        state.codes[code] = Code(asked, channel.channel_id, granted, expires_at)
        answer = {"state": asked.state, "code": code, "scope": " ".join(granted)}
        return Redirect(f"{asked.redirect_uri}?{urlencode(answer)}", status_code=302)

    return [show, decide]


def _endpoints(state: YouTubeState) -> list[HTTPRouteHandler]:
    """What the application calls."""

    @post("/token", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        client = _authenticate(state, request, form)
        match form.get("grant_type"):
            case "authorization_code":
                return document(_redeem(state, client, form))
            case "refresh_token":
                return document(_renew(state, client, form))
            case _:
                raise OAuthError("unsupported_grant_type", "Invalid grant_type")

    @post("/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> Response[bytes]:
        form = await request.form()
        grant = state.grant_of(str(form.get("token") or request.query_params.get("token", "")))
        if grant is None:
            raise OAuthError("invalid_token", "Token expired or revoked")
        end(state, grant)
        state.truth.revoked(NAME, account_id=grant.channel_id, client_id=grant.client_id)
        return document({})

    return [token, revoke]


def _telling(state: YouTubeState) -> list[HTTPRouteHandler]:
    """What a token is worth, and whose it is."""

    @get("/tokeninfo", sync_to_thread=False)
    def tokeninfo(request: AnyRequest) -> Response[bytes]:
        token = request.query_params.get("access_token", "")
        grant, now = state.grant_of(token), state.clock.now()
        if grant is None or grant.access.get(token, now) <= now:
            raise OAuthError("invalid_token", "Invalid Value")
        left = int((grant.access[token] - now).total_seconds())
        told = {"azp": grant.client_id, "aud": grant.client_id, "scope": " ".join(grant.scopes)}
        return document(told | {"expires_in": str(left), "access_type": "offline" if grant.refresh_token else "online"})

    @get(["/oauth2/v2/userinfo", "/v1/userinfo"], sync_to_thread=False)
    def userinfo(request: AnyRequest) -> Response[bytes]:
        grant = state.signed_in(request)
        if not set(IDENTITY) & set(grant.scopes):
            raise ApiError(403, "insufficientPermissions", domain="global")
        channel = state.channels[grant.channel_id]
        return document({"id": channel.user, "sub": channel.user, "name": channel.title, "verified_email": True})

    return [tokeninfo, userinfo]


def end(state: YouTubeState, grant: Grant) -> None:
    """Withdraw everything this person allowed this application for this channel."""
    for other in state.grants:
        if (other.client_id, other.channel_id) == (grant.client_id, grant.channel_id):
            other.revoked = True


def _consent_page(state: YouTubeState, asked: Asked, request_id: str) -> str:
    return page(
        platform="Google",
        client=asked.client_id,
        request_id=request_id,
        action=PATH,
        accounts=[Choice(c.channel_id, f"{c.title} (@{c.handle})") for c in state.channels.values()],
        scopes=asked.scopes,
    )


def _read_request(state: YouTubeState, query: dict[str, Any]) -> Asked:
    client = state.clients.get(query.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "The OAuth client was not found.")
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_uri or (client.redirect_uris and redirect_uri not in client.redirect_uris):
        raise OAuthError("redirect_uri_mismatch", "The redirect URI in the request is not registered.")
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    scopes = query.get("scope", "").split()
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise OAuthError("invalid_scope", "Some requested scopes were invalid.")
    method = query.get("code_challenge_method", "plain")
    if query.get("code_challenge") and method not in ("S256", "plain"):
        raise OAuthError("invalid_request", "code_challenge_method must be S256 or plain")
    return Asked(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        state=query.get("state", ""),
        scopes=scopes,
        challenge=query.get("code_challenge"),
        challenge_method=method,
        offline=query.get("access_type") == "offline",
        consent="consent" in query.get("prompt", "").split(),
        add_granted=query.get("include_granted_scopes") == "true",
    )


def _authenticate(state: YouTubeState, request: AnyRequest, form: dict[str, str]) -> Client:
    """Credentials in the body or as HTTP Basic: Google's own libraries do both."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind == "Basic":
        try:
            client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client", "Unauthorized", 401) from None
    client = state.clients.get(client_id)
    if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        raise OAuthError("invalid_client", "The provided client secret is invalid.", 401)
    return client


def _redeem(state: YouTubeState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    code, now = state.codes.pop(form.get("code", ""), None), state.clock.now()
    if code is None or code.expires_at <= now or code.asked.client_id != client.client_id:
        raise OAuthError("invalid_grant", "Bad Request")
    if form.get("redirect_uri") != code.asked.redirect_uri:
        raise OAuthError("redirect_uri_mismatch", "Bad Request")
    _verify(code.asked, form.get("code_verifier", ""))
    known = [g for g in state.grants if _same(g, client.client_id, code.channel_id)]
    lasting = code.asked.offline and (code.asked.consent or not known)
    grant = Grant(
        client_id=client.client_id,
        channel_id=code.channel_id,
        scopes=code.scopes,
        refresh_token=f"1//0g{secrets.token_urlsafe(40)}" if lasting else None,
        refresh_expires_at=now + timedelta(seconds=TESTING_REFRESH_SECONDS) if lasting and client.testing else None,
    )
    state.grants.append(grant)
    for oldest in [g for g in known if g.refresh_token][: -LIVE_GRANTS_MAX + 1]:
        oldest.revoked = True
    return _tokens(grant, grant.new_access(now), first=True)


def _renew(state: YouTubeState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    grant, now = state.grant_of(form.get("refresh_token", "")), state.clock.now()
    if grant is None or grant.client_id != client.client_id or form.get("refresh_token") != grant.refresh_token:
        raise OAuthError("invalid_grant", "Token has been expired or revoked.")
    if grant.refresh_expires_at is not None and grant.refresh_expires_at <= now:
        raise OAuthError("invalid_grant", "Token has been expired or revoked.")
    return _tokens(grant, grant.new_access(now), first=False)


def _tokens(grant: Grant, access_token: str, *, first: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "access_token": access_token,
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    if first and grant.refresh_token:
        told["refresh_token"] = grant.refresh_token
    if grant.refresh_expires_at is not None:
        told["refresh_token_expires_in"] = TESTING_REFRESH_SECONDS
    return told


def _verify(asked: Asked, verifier: str) -> None:
    if asked.challenge is None:
        return
    expected = verifier
    if asked.challenge_method == "S256":
        expected = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier) or expected != asked.challenge:
        raise OAuthError("invalid_grant", "Invalid code verifier.")


def _granted_before(state: YouTubeState, asked: Asked, channel_id: str) -> list[str]:
    return [scope for grant in state.grants if _same(grant, asked.client_id, channel_id) for scope in grant.scopes]


def _same(grant: Grant, client_id: str, channel_id: str) -> bool:
    return not grant.revoked and (grant.client_id, grant.channel_id) == (client_id, channel_id)
