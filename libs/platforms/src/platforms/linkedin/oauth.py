"""LinkedIn's authorisation: tokens of 60 days, and a refresh token for approved applications only.

The scopes are those of the Community Management product, which an application has alone; it brings refresh tokens.
A refresh token's year is counted from the consent and not extended by renewing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import Misconfigured
from platforms.linkedin.accounts import PERSON, Accounts
from platforms.linkedin.answers import Introspection
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.errors import oauth_error
from platforms.linkedin.limits import AUTHORISATION_SECONDS
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import Tokens, TokenServer, granted

SCOPES = (
    "r_basicprofile",
    "w_member_social",
    "r_member_postAnalytics",
    "r_organization_social",
    "w_organization_social",
    "rw_organization_admin",
)


class OAuth:
    """Getting, renewing and ending a grant at LinkedIn."""

    def __init__(self, endpoints: LinkedInEndpoints, accounts: Accounts) -> None:
        self._base = f"{endpoints.web}/oauth/v2"
        self._accounts = accounts
        self._server = TokenServer("LinkedIn", self._base, "/accessToken", Tokens, oauth_error)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "state": state,
            "scope": " ".join(SCOPES),
        }
        return Authorisation(
            url=f"{self._base}/authorization?{urlencode(query, quote_via=quote)}",
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
        """Trade the code for tokens; the grant acts for the first author they open, the person if they may post."""
        tokens = await self._server.redeem(http, client, callback=callback, kept=kept, clock=clock, pkce=False)
        grant = granted(tokens, now=clock.now())
        if not {"r_basicprofile", "openid"} & set(grant.scopes):
            # Without one of them nobody can be asked for; the caller sees which scope is missing.
            return grant
        call = Call(http, clock, grant)
        person = await self._accounts.person(call)
        opened = await self._accounts.accounts(call) or [person]
        return replace(grant, account_id=opened[0].account_id, extra={PERSON: Secret(person.account_id)})

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew the access token, and keep whatever refresh token comes back."""
        return granted(await self._server.renew(http, client, grant, clock=clock), now=clock.now(), before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the token. LinkedIn's pages do not describe this call, so the token is looked at afterwards."""
        form = {"token": grant.access_token.reveal()}
        answer = await self._server.post(http, client, "/revoke", form)
        if answer.status != 200:
            raise oauth_error(answer, clock.now())
        if await self.alive(http, client, grant, clock=clock):
            raise Misconfigured("still_active", "LinkedIn took the call but the token is still active")

    async def alive(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> bool:
        """True if LinkedIn still accepts the access token."""
        answer = await self._server.post(http, client, "/introspectToken", {"token": grant.access_token.reveal()})
        if answer.status != 200:
            raise oauth_error(answer, clock.now())
        return answer.parse(Introspection).active
