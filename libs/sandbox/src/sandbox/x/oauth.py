"""The imitated authorisation: consent page, code of 30 seconds, tokens that rotate, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import MediaType, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from sandbox.consent import Choice, page
from sandbox.x.answers import AnyRequest, OAuthError, flat
from sandbox.x.platform_state import XState, basic_credentials
from sandbox.x.state import ACCESS_SECONDS, CODE_SECONDS, SCOPES, Asked, Client, Code, Family

PATHS = ["/i/oauth2/authorize", "/oauth2/authorize"]
STATE_CHARACTERS_MAX = 500


def create_handlers(state: XState) -> list[HTTPRouteHandler]:
    return [*_pages(state), *_endpoints(state)]


def _pages(state: XState) -> list[HTTPRouteHandler]:
    """What the person sees."""

    @get(PATHS, media_type=MediaType.HTML, sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        try:
            asked = _read_request(state, dict(request.query_params))
        except OAuthError as error:
            return Response(f"<h1>{error.error}</h1><p>{error.description}</p>", status_code=400)
        request_id = secrets.token_urlsafe(16)
        state.asked[request_id] = asked
        return Response(_consent_page(state, asked, request_id))

    @post(PATHS)
    async def decide(request: AnyRequest) -> Redirect | Response[str]:
        form = await request.form()
        asked = state.asked.pop(str(form.get("request_id")), None)
        account = state.accounts.get(str(form.get("account")))
        if asked is None or account is None:
            return Response("<h1>This request is no longer open</h1>", status_code=400, media_type=MediaType.HTML)
        answer = {"state": asked.state}
        if form.get("decision") == "allow":
            granted = [scope for scope in asked.scopes if scope in form.getall("scopes", [])]
            code = secrets.token_urlsafe(48)
            expires_at = state.clock.now() + timedelta(seconds=CODE_SECONDS)
            state.codes[code] = Code(asked, account.id, granted, expires_at)
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        return Redirect(f"{asked.redirect_uri}?{urlencode(answer)}", status_code=302)

    return [show, decide]


def _endpoints(state: XState) -> list[HTTPRouteHandler]:
    """What the application calls."""

    @post("/2/oauth2/token", status_code=200)
    async def token(request: AnyRequest) -> Response[bytes]:
        form = await _form(request)
        client = _authenticate(state, request, form)
        match form.get("grant_type"):
            case "authorization_code":
                return flat(request, _tokens(_redeem(state, client, form)))
            case "refresh_token":
                return flat(request, _tokens(_rotate(state, client, form)))
            case _:
                raise OAuthError("unsupported_grant_type", "The grant type is not supported.")

    @post("/2/oauth2/revoke", status_code=200)
    async def revoke(request: AnyRequest) -> Response[bytes]:
        form = await _form(request)
        client = _authenticate(state, request, form)
        _end(state, client, form.get("token", ""))
        return flat(request, {"revoked": True})

    @post("/oauth2/token", status_code=200)
    async def application_token(request: AnyRequest) -> Response[bytes]:
        form = await _form(request)
        credentials = basic_credentials(request)
        client = state.clients.get(credentials[0]) if credentials else None
        if client is None or credentials is None or not _same(client.client_secret, credentials[1]):
            raise OAuthError("unauthorized_client", "Missing valid authorization header", 401)
        if form.get("grant_type") != "client_credentials":
            raise OAuthError("unsupported_grant_type", "The grant type is not supported.")
        return flat(request, {"token_type": "bearer", "access_token": state.application_token(client)})

    return [token, revoke, application_token]


def _consent_page(state: XState, asked: Asked, request_id: str) -> str:
    return page(
        platform="X",
        client=asked.client_id,
        request_id=request_id,
        action=PATHS[0],
        accounts=[Choice(account.id, f"{account.name} (@{account.username})") for account in state.accounts.values()],
        scopes=asked.scopes,
    )


def _read_request(state: XState, query: dict[str, Any]) -> Asked:
    client = state.clients.get(query.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "client_id is unknown")
    redirect_uri = query.get("redirect_uri", "")
    if not redirect_uri or (client.redirect_uris and redirect_uri not in client.redirect_uris):
        raise OAuthError("invalid_request", "redirect_uri is not registered")
    if query.get("response_type") != "code":
        raise OAuthError("invalid_request", "response_type must be code")
    scopes = query.get("scope", "").split()
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise OAuthError("invalid_scope", "scope must be a space separated list of known scopes")
    state_text = query.get("state", "")
    if not 0 < len(state_text) <= STATE_CHARACTERS_MAX:
        raise OAuthError("invalid_request", "state must have 1 to 500 characters")
    challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method", "plain")
    if not challenge or method not in ("S256", "plain"):
        raise OAuthError("invalid_request", "code_challenge is required")
    return Asked(client.client_id, redirect_uri, state_text, scopes, challenge, method)


def _authenticate(state: XState, request: AnyRequest, form: dict[str, str]) -> Client:
    """By the header for a confidential client, by its id alone for a public one."""
    credentials = basic_credentials(request)
    if credentials:
        client = state.clients.get(credentials[0])
        if client is not None and not client.public and _same(client.client_secret, credentials[1]):
            return client
    else:
        client = state.clients.get(form.get("client_id", ""))
        if client is not None and client.public:
            return client
    raise OAuthError("unauthorized_client", "Missing valid authorization header", 401)


def _redeem(state: XState, client: Client, form: dict[str, str]) -> Family:
    code = state.codes.pop(form.get("code", ""), None)
    if code is None or code.expires_at <= state.clock.now() or code.asked.client_id != client.client_id:
        raise OAuthError("invalid_request", "Value passed for the authorization code was invalid.")
    if form.get("redirect_uri") != code.asked.redirect_uri:
        raise OAuthError("invalid_request", "Value passed for the redirect uri did not match the uri of the request.")
    verifier = form.get("code_verifier", "")
    if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier) or _challenge(code, verifier) != code.asked.challenge:
        raise OAuthError("invalid_request", "Value passed for the code verifier did not match the code challenge.")
    family = Family(client.client_id, code.account_id, code.scopes)
    family.rotate(state.clock.now())
    state.families.append(family)
    return family


def _rotate(state: XState, client: Client, form: dict[str, str]) -> Family:
    presented, now = form.get("refresh_token", ""), state.clock.now()
    for family in state.families:
        if family.client_id != client.client_id or not presented:
            continue
        if presented in family.used:
            # Somebody has a copy: nobody can say who is the thief, so nobody keeps anything.
            family.revoked = True
        elif presented == family.refresh_token and not family.revoked and family.refresh_expires_at > now:
            family.rotate(now)
            return family
    raise OAuthError("invalid_request", "Value passed for the token was invalid.")


def _end(state: XState, client: Client, presented: str) -> None:
    """Either token ends its family; one that is dead already is confirmed again."""
    for family in state.families:
        if presented in (family.access_token, family.refresh_token) and family.client_id == client.client_id:
            if not family.revoked:
                state.end(family, by_application=True)
            return
    raise OAuthError("invalid_request", "Value passed for the token was invalid.")


def _challenge(code: Code, verifier: str) -> str:
    if code.asked.method == "plain":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _tokens(family: Family) -> dict[str, Any]:
    document = {
        "token_type": "bearer",
        "expires_in": ACCESS_SECONDS,
        "access_token": family.access_token,
        "scope": " ".join(family.scopes),
    }
    return document | ({"refresh_token": family.refresh_token} if family.refresh_token else {})


async def _form(request: AnyRequest) -> dict[str, str]:
    return {str(name): str(value) for name, value in (await request.form()).items()}


def _same(known: str, presented: str) -> bool:
    return hmac.compare_digest(known.encode(), presented.encode())
