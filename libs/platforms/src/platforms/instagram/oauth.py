"""Instagram Login: a code becomes an hour's token, that one of sixty days, and that is renewed by itself.

There is no refresh token and no PKCE. The token itself is replaced by each renewal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.instagram.answers import LongLived, Me, ShortLived, scopes_in
from platforms.instagram.endpoints import InstagramEndpoints
from platforms.instagram.errors import INSTAGRAM_ERRORS
from platforms.instagram.limits import AUTHORISATION_SECONDS, RENEWABLE_AFTER_SECONDS
from platforms.meta.graph import PROOF, Graph
from platforms.meta.signing import appsecret_proof
from platforms.meta.tokens import LONG_LIVED_SECONDS, code_from, trade
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import secret_of
from platforms.wire import converted

SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
)
"""What publishing, first comments and measuring need. One that is missing is noticed here, not below a post."""

ADVICE = "Remove the application in Instagram: Settings, Apps and websites."


class OAuth:
    """Getting, renewing and ending a grant of Instagram Login."""

    def __init__(self, endpoints: InstagramEndpoints, graph: Graph) -> None:
        self._endpoints = endpoints
        self._graph = graph

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the page's address. It asks who it is: a team's browser is signed in to one of many accounts."""
        query = urlencode(
            {
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "response_type": "code",
                "scope": ",".join(SCOPES),
                "state": state,
                "force_reauth": "true",
            }
        )
        return Authorisation(
            url=f"{self._endpoints.web}/oauth/authorize?{query}",
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
        """Trade the code twice and ask whose the token is. The grant names the scopes that were really ticked."""
        if "error" in callback:
            raise ReauthorisationNeeded("access_denied", "the person refused the permission")
        code = code_from(callback)
        if code is None:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code")
        short = await self._redeem(http, client, code, clock)
        parameters = {
            "grant_type": "ig_exchange_token",
            "client_secret": secret_of(client, "Instagram"),
            "access_token": short.access_token,
        }
        long_lived = await self._trade(http, "access_token", parameters, clock)
        grant = _grant(client, long_lived, account_id="", scopes=short.scopes, now=clock.now())
        return await self._named(Call(http, clock, grant))

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Replace the token by one of sixty days. On its first day it cannot be, so it is only looked at."""
        call = Call(http, clock, grant)
        left = (grant.expires_at - clock.now()).total_seconds()
        if left > LONG_LIVED_SECONDS - RENEWABLE_AFTER_SECONDS:
            await self._graph.get(call, "me", Me, fields="user_id")
            return grant
        parameters = {
            "grant_type": "ig_refresh_token",
            "access_token": grant.access_token,
            PROOF: appsecret_proof(secret_of(client, "Instagram"), grant.access_token),
        }
        renewed = await self._trade(http, "refresh_access_token", parameters, clock)
        scopes = scopes_in(renewed.permissions) or grant.scopes
        fresh = _grant(client, renewed, account_id=grant.account_id, scopes=scopes, now=clock.now())
        return replace(fresh, extra=dict(grant.extra) | dict(fresh.extra))

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End what we are told of the account. Instagram has no call that ends a grant, so it never confirms one."""
        await self._graph.delete(Call(http, clock, grant), "me/subscribed_apps")
        raise Rejected("no_revocation", "Instagram lets only the person end a grant", advice=ADVICE)

    async def _redeem(self, http: httpx.AsyncClient, client: ClientCredentials, code: str, clock: Clock) -> ShortLived:
        form = {
            "client_id": client.client_id,
            "client_secret": secret_of(client, "Instagram"),
            "grant_type": "authorization_code",
            "redirect_uri": client.redirect_uri,
            "code": code,
        }
        url = f"{self._endpoints.login}/oauth/access_token"
        document = await trade(http, url, form, table=INSTAGRAM_ERRORS, clock=clock)
        # Documented is a list of one; in the field its only item has been seen without it.
        listed = document.get("data")
        return converted(listed[0] if isinstance(listed, list) and listed else document, ShortLived)

    async def _trade(
        self, http: httpx.AsyncClient, path: str, parameters: Mapping[str, object], clock: Clock
    ) -> LongLived:
        """These two are documented as GET only; the address goes nowhere but to Instagram."""
        url = f"{self._endpoints.graph}/{path}"
        document = await trade(http, url, parameters, table=INSTAGRAM_ERRORS, clock=clock, method="GET")
        return converted(document, LongLived)

    async def _named(self, call: Call) -> Grant:
        me = await self._graph.get(call, "me", Me, fields="id,user_id")
        extra = dict(call.grant.extra) | {"user_id": Secret(str(me.id))}
        return replace(call.grant, account_id=str(me.user_id), extra=extra)


def _grant(
    client: ClientCredentials, token: LongLived, *, account_id: str, scopes: tuple[str, ...], now: datetime
) -> Grant:
    access_token = Secret(token.access_token)
    return Grant(
        account_id=account_id,
        access_token=access_token,
        refresh_token=None,
        scopes=scopes,
        expires_at=now + timedelta(seconds=token.expires_in or LONG_LIVED_SECONDS),
        refresh_expires_at=None,
        extra={PROOF: appsecret_proof(secret_of(client, "Instagram"), access_token)},
    )
