"""LinkedIn's authorisation, imitated: all scopes or none, refresh tokens for approved applications."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import MediaType, Response, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from sandbox.consent import Choice, page
from sandbox.linkedin.answers import AnyRequest, document
from sandbox.linkedin.state import (
    ACCESS_SECONDS,
    CODE_SECONDS,
    NAME,
    REFRESH_SECONDS,
    Client,
    Code,
    Grant,
    LinkedInState,
)

PATH = "/oauth/v2"


class OAuthError(Exception):
    """An error of the token endpoint."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.document = {"error": error, "error_description": description}


def on_error(_: AnyRequest, error: OAuthError) -> Response[bytes]:
    return document(error.document, error.status)


def create_router(state: LinkedInState) -> Router:
    return Router(PATH, route_handlers=[*_pages(state), _tokens(state), *_looking_after(state)])


def _pages(state: LinkedInState) -> list[HTTPRouteHandler]:
    """What the person sees."""

    @get("/authorization", media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str] | Redirect:
        query = dict(request.query_params)
        client, redirect_uri = state.clients.get(query.get("client_id", "")), query.get("redirect_uri", "")
        known = client is not None and (not client.redirect_uris or redirect_uri in client.redirect_uris)
        if client is None or not known or not redirect_uri or query.get("response_type") != "code":
            return Response("<h1>Bummer, something went wrong.</h1>", status_code=400)
        scopes = query.get("scope", "").split()
        if not scopes or not set(scopes) <= set(client.scopes):
            return _back(query, error="unauthorized_scope_error", error_description="Scope is not authorized")
        request_id = secrets.token_urlsafe(16)
        state.asked[request_id] = query
        people = [Choice(urn, f"{person.given_name} {person.family_name}") for urn, person in state.people.items()]
        shown = page(
            platform="LinkedIn",
            client=client.client_id,
            request_id=request_id,
            action=f"{PATH}/decision",
            accounts=people,
            scopes=scopes,
        )
        return Response(shown)

    @post("/decision")
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        """The real page offers all scopes or none; here boxes can be unticked, to see what callers make of it."""
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        person = next((p for p in state.people.values() if form.get("account") in (p.urn, p.handle)), None)
        if asked is None or person is None:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        if form.get("decision") != "allow":
            return _back(asked, error="user_cancelled_authorize", error_description="The user cancelled")
        code = secrets.token_urlsafe(60)
        granted = tuple(scope for scope in asked["scope"].split() if scope in form.getall("scopes", []))
        expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
        state.codes[code] = Code(asked["client_id"], person.urn, asked["redirect_uri"], granted, expires_at)
        return _back(asked, code=code)

    return [show, decide]


def _tokens(state: LinkedInState) -> HTTPRouteHandler:
    @post("/accessToken", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        form = await _form(request)
        client = _client(state, form)
        match form.get("grant_type"):
            case "authorization_code":
                return document(_redeem(state, client, form))
            case "refresh_token":
                return document(_renew(state, client, form))
            case _:
                raise OAuthError(400, "unsupported_grant_type", "The grant type is not supported")

    return token


def _looking_after(state: LinkedInState) -> list[HTTPRouteHandler]:
    @post("/introspectToken", status_code=200)
    async def introspect(request: AnyRequest) -> Response[bytes]:
        form = await _form(request)
        grant = _own(state, _client(state, form), form)
        if grant is None:
            return document({"active": False})
        expired = grant.access_expires_at <= state.clock.now()
        status = "revoked" if grant.ended else "expired" if expired else "active"
        created = int((grant.created_at or state.clock.now()).timestamp())
        told = {"client_id": grant.client_id, "authorized_at": created, "created_at": created, "auth_type": "3L"}
        ends = {"expires_at": int(grant.access_expires_at.timestamp()), "scope": ",".join(grant.scopes)}
        return document({"active": status == "active", "status": status} | told | ends)

    @post("/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> None:
        form = await _form(request)
        client = _client(state, form)
        grant = _own(state, client, form)
        if grant is None:
            raise OAuthError(400, "invalid_request", "The token is not known")
        if not grant.ended:
            grant.ended = "revoked"
            state.truth.revoked(NAME, account_id=grant.person, client_id=client.client_id)

    return [introspect, revoke]


def _back(asked: dict[str, str], **answer: str) -> Redirect:
    query = urlencode(answer | {"state": asked.get("state", "")})
    return Redirect(f"{asked['redirect_uri']}?{query}", status_code=302)


async def _form(request: AnyRequest) -> dict[str, str]:
    return {str(name): str(value) for name, value in (await request.form()).items()}


def _client(state: LinkedInState, form: dict[str, str]) -> Client:
    client = state.clients.get(form.get("client_id", ""))
    secret = form.get("client_secret", "")
    if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        raise OAuthError(401, "invalid_client", "Client authentication failed")
    return client


def _own(state: LinkedInState, client: Client, form: dict[str, str]) -> Grant | None:
    token = form.get("token", "")
    own = (grant for grant in state.grants if grant.client_id == client.client_id)
    return next((grant for grant in own if token and token in (grant.access_token, grant.refresh_token)), None)


def _redeem(state: LinkedInState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    code, now = state.codes.pop(form.get("code", ""), None), state.clock.now()
    fits = code and code.client_id == client.client_id and code.redirect_uri == form.get("redirect_uri")
    if code is None or not fits or code.expires_at <= now:
        raise OAuthError(400, "invalid_request", "Unable to retrieve access token: authorization code not found")
    for grant in state.grants:
        # Another set of scopes ends what was granted before.
        if (grant.client_id, grant.person) == (client.client_id, code.person) and grant.scopes != code.scopes:
            grant.ended = "replaced"
    grant = Grant(client.client_id, code.person, code.scopes, "", now, created_at=now)
    if client.approved:
        grant.refresh_token = f"AQW{secrets.token_urlsafe(300)}"
        grant.refresh_expires_at = now + timedelta(seconds=REFRESH_SECONDS)
    state.grants.append(grant)
    return _told(state, grant)


def _renew(state: LinkedInState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    token, now = form.get("refresh_token", ""), state.clock.now()
    own = (grant for grant in state.grants if grant.client_id == client.client_id and not grant.ended)
    grant = next((grant for grant in own if token and grant.refresh_token == token), None)
    if grant is None or grant.refresh_expires_at is None or grant.refresh_expires_at <= now:
        description = "The provided authorization grant or refresh token is invalid, expired or revoked."
        raise OAuthError(400, "invalid_request", description)
    return _told(state, grant)


def _told(state: LinkedInState, grant: Grant) -> dict[str, Any]:
    now = state.clock.now()
    grant.access_token = f"AQV{secrets.token_urlsafe(300)}"
    grant.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)
    told: dict[str, Any] = {
        "access_token": grant.access_token,
        "expires_in": ACCESS_SECONDS,
        "scope": ",".join(grant.scopes),
        "token_type": "Bearer",
    }
    if grant.refresh_expires_at is not None:
        left = int((grant.refresh_expires_at - now).total_seconds())
        told |= {"refresh_token": grant.refresh_token, "refresh_token_expires_in": left}
    return told
