"""Pinterest's authorisation: Basic authentication, scopes with commas, a refresh token that each renewal replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.pinterest.answers import Account
from platforms.pinterest.api import PinterestApi
from platforms.pinterest.endpoints import PinterestEndpoints
from platforms.pinterest.errors import oauth_error
from platforms.pinterest.limits import AUTHORISATION_SECONDS
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import Tokens, TokenServer, granted, in_header

SCOPES = ("user_accounts:read", "boards:read", "boards:write", "pins:read", "pins:write")


class OAuth:
    """Getting, renewing and ending a grant at Pinterest."""

    def __init__(self, endpoints: PinterestEndpoints, api: PinterestApi) -> None:
        self._endpoints = endpoints
        self._api = api
        self._server = TokenServer("Pinterest", endpoints.api, "/oauth/token", Tokens, oauth_error, in_header)

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
        tokens = await self._server.redeem(http, client, callback=callback, kept=kept, clock=clock, pkce=False)
        grant = granted(tokens, now=clock.now())
        if "user_accounts:read" not in grant.scopes:
            # Without it the account cannot be asked for; the caller sees which scope is missing.
            return grant
        account = await self._api.get(Call(http, clock, grant), "/user_account", Account)
        return replace(grant, account_id=account.id)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew both tokens. The old refresh token counts as used up: store the pair before using it."""
        return granted(await self._server.renew(http, client, grant, clock=clock), now=clock.now(), before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """Ask Pinterest to end the grant. It does so for its system users only and refuses all others with 403:
        there the person removes our application in Pinterest's own settings."""
        token = grant.refresh_token or grant.access_token
        hint = "refresh_token" if grant.refresh_token else "access_token"
        answer = await self._server.post(
            http, client, "/oauth/token/revoke", {"token": token.reveal(), "token_type_hint": hint}
        )
        if answer.status != 200:
            raise oauth_error(answer, clock.now())
