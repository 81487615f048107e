"""Pinterest's authorisation: Basic authentication, scopes with commas, a refresh token that each renewal replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.pinterest.answers import Account, Tokens
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.endpoints import PinterestEndpoints
from platforms.pinterest.errors import oauth_error
from platforms.pinterest.limits import AUTHORISATION_SECONDS
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.wire import Answer, converted, send

SCOPES = ("user_accounts:read", "boards:read", "boards:write", "pins:read", "pins:write")


class OAuth:
    """Getting, renewing and ending a grant at Pinterest."""

    def __init__(self, endpoints: PinterestEndpoints, api: PinterestApi) -> None:
        self._endpoints = endpoints
        self._api = api

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        query = {
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "response_type": "code",
            "scope": ",".join(SCOPES),
            "state": state,
        }
        return Authorisation(
            url=f"{self._endpoints.web}/oauth/?{urlencode(query)}",
            kept={},
            expires_at=clock.now() + timedelta(seconds=AUTHORISATION_SECONDS),
        )

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant:
        """Trade the code for tokens that can be renewed without end, and ask whose they are."""
        if "code" not in callback:
            raise ReauthorisationNeeded("code_missing", "the person refused, or the callback brought no code")
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
        }
        grant = await self._tokens(http, client, form=form, clock=clock, before=None)
        if "user_accounts:read" not in grant.scopes:
            # Without it the account cannot be asked for; the caller sees which scope is missing.
            return grant
        account = await self._api.get(Call(http, clock, grant), "/user_account", Account)
        return replace(grant, account_id=account.id)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew both tokens. The old refresh token counts as used up: store the pair before using it."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        return await self._tokens(http, client, form=form, clock=clock, before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """Ask Pinterest to end the grant. It does so for its system users only and refuses all others with 403:
        there the person removes our application in Pinterest's own settings."""
        token = grant.refresh_token or grant.access_token
        hint = "refresh_token" if grant.refresh_token else "access_token"
        answer = await self._post(
            http, client, "/oauth/token/revoke", {"token": token.reveal(), "token_type_hint": hint}
        )
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())

    async def _tokens(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        form: Mapping[str, str],
        clock: Clock,
        before: Grant | None,
    ) -> Grant:
        answer = await self._post(http, client, "/oauth/token", form)
        document = answer.json()
        if answer.status != 200 or not document.get("access_token"):
            raise oauth_error(answer, now=clock.now())
        return _grant(converted(document, Tokens), clock, before)

    async def _post(
        self, http: httpx.AsyncClient, client: ClientCredentials, path: str, form: Mapping[str, str]
    ) -> Answer:
        if client.client_secret is None:
            raise Misconfigured("client_secret_missing", "Pinterest needs a client secret")
        credentials = httpx.BasicAuth(client.client_id, client.client_secret.reveal())
        request = http.build_request("POST", f"{self._endpoints.api}{path}", data=dict(form))
        return await send(http, next(credentials.auth_flow(request)))


def _grant(tokens: Tokens, clock: Clock, before: Grant | None) -> Grant:
    """What Pinterest does not send again stays as it was: older applications keep one refresh token for a year."""
    now, lasting = clock.now(), tokens.refresh_token_expires_in
    kept = (before.refresh_token, before.refresh_expires_at, before.scopes) if before else (None, None, ())
    return Grant(
        account_id=before.account_id if before else "",
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else kept[0],
        # Scopes have been seen with spaces as well as with commas.
        scopes=tuple(tokens.scope.replace(",", " ").split()) or kept[2],
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=lasting) if lasting else kept[1],
    )
