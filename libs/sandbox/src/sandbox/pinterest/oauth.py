"""Pinterest's authorisation, imitated: consent page, Basic authentication, refresh tokens that are used once."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import MediaType, Response, Router, get, post
from litestar.response import Redirect

from sandbox.consent import Choice, page
from sandbox.pinterest.answers import AnyRequest, ApiError, document
from sandbox.pinterest.state import (
    ACCESS_SECONDS,
    CODE_SECONDS,
    LEGACY_REFRESH_SECONDS,
    REFRESH_SECONDS,
    SCOPES,
    Client,
    Code,
    Grant,
    PinterestState,
)

PATH = "/oauth/"


def create_pages(state: PinterestState) -> Router:
    """What the person sees."""

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        query = dict(request.query_params)
        client, scopes = state.clients.get(query.get("client_id", "")), query.get("scope", "").split(",")
        known = client is not None and (not client.redirect_uris or query.get("redirect_uri") in client.redirect_uris)
        if not known or query.get("response_type") != "code" or not set(scopes) <= SCOPES:
            return Response("<h1>Oops! This application is not set up right.</h1>", status_code=400)
        request_id = secrets.token_urlsafe(16)
        state.asked[request_id] = query
        shown = page(
            platform="Pinterest",
            client=query["client_id"],
            request_id=request_id,
            action=PATH,
            accounts=[Choice(a.username, a.business_name or a.username) for a in state.accounts.values()],
            scopes=scopes,
        )
        return Response(shown)

    @post("/")
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        if asked is None or str(form.get("account")) not in state.accounts:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        answer = {"state": asked.get("state", "")}
        if form.get("decision") != "allow":
            answer["error"] = "access_denied"
        else:
            code = answer["code"] = secrets.token_urlsafe(30)
            granted = tuple(scope for scope in asked["scope"].split(",") if scope in form.getall("scopes", []))
            expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
            username, redirect_uri = str(form.get("account")), asked["redirect_uri"]
            state.codes[code] = Code(asked["client_id"], username, redirect_uri, granted, expires_at)
        return Redirect(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)

    return Router(PATH, route_handlers=[show, decide])


def create_endpoints(state: PinterestState) -> Router:
    """What the application calls."""

    @post("/token", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        client = _client(state, request)
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        match form.get("grant_type"):
            case "authorization_code":
                return document(_redeem(state, client, form))
            case "refresh_token":
                return document(_renew(state, client, form))
            case _:
                raise ApiError(400, 1, "Invalid request: unknown grant_type")

    @post("/token/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> None:
        _client(state, request)
        raise ApiError(403, 29, "You are not permitted to access that resource.")

    return Router("/v5/oauth", route_handlers=[token, revoke])


def _client(state: PinterestState, request: AnyRequest) -> Client:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, secret = "", ""
    client = state.clients.get(client_id)
    if kind != "Basic" or client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        raise ApiError(401, 2, "Authentication failed.")
    return client


def _redeem(state: PinterestState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    code = state.codes.pop(form.get("code", ""), None)
    fits = code and code.client_id == client.client_id and code.redirect_uri == form.get("redirect_uri")
    if code is None or not fits or code.expires_at <= state.clock.now():
        raise ApiError(400, 283, "Invalid grant: the code is not valid.")
    grant = Grant(client.client_id, code.username, code.scopes, client.continuous_refresh)
    state.grants.append(grant)
    return _tokens(state, grant, "authorization_code", renewed_refresh=True)


def _renew(state: PinterestState, client: Client, form: dict[str, str]) -> dict[str, Any]:
    token, now = form.get("refresh_token", ""), state.clock.now()
    grant = next((g for g in state.grants if g.client_id == client.client_id and g.refresh_token == token), None)
    if grant is None or grant.refresh_expires_at is None or grant.refresh_expires_at <= now:
        raise ApiError(400, 283, "Invalid grant: the refresh token is not valid.")
    return _tokens(state, grant, "refresh_token", renewed_refresh=grant.continuous)


def _tokens(state: PinterestState, grant: Grant, kind: str, *, renewed_refresh: bool) -> dict[str, Any]:
    now = state.clock.now()
    grant.access_token = f"pina_{secrets.token_urlsafe(40)}"
    grant.access_expires_at = now + timedelta(seconds=ACCESS_SECONDS)
    told: dict[str, Any] = {
        "access_token": grant.access_token,
        "response_type": kind,
        "token_type": "bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(grant.scopes),
    }
    if renewed_refresh:
        lasting = REFRESH_SECONDS if grant.continuous else LEGACY_REFRESH_SECONDS
        grant.refresh_token = f"pinr_{secrets.token_urlsafe(40)}"
        grant.refresh_expires_at = now + timedelta(seconds=lasting)
        told |= {"refresh_token": grant.refresh_token, "refresh_token_expires_in": lasting}
        if grant.continuous:
            told["refresh_token_expires_at"] = int(grant.refresh_expires_at.timestamp())
    return told
