"""Threads' authorisation: a code becomes a token of an hour, that one of sixty days, which renews itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import PlatformError, ReauthorisationNeeded, Rejected
from platforms.meta.graph import PROOF
from platforms.meta.signing import appsecret_proof
from platforms.meta.tokens import Token, code_from, trade, trade_token
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.threads.answers import Debugged, Made, ShortToken
from platforms.threads.api import ThreadsApi
from platforms.threads.endpoints import ThreadsEndpoints
from platforms.threads.errors import THREADS_ERRORS
from platforms.threads.limits import AUTHORISATION_SECONDS, REFRESH_AGE_MIN
from platforms.tokens import secret_of
from platforms.wire import converted

SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_manage_insights",
    "threads_manage_replies",
    "threads_read_replies",
)
"""What publishing, threads, finding them again and measuring need."""

REMOVAL_SCOPES = ("threads_delete",)
"""Asked for as well, and done without where the person unticks it: then posts are removed at Threads only."""

_ISSUED_AT = "issued_at"


class OAuth:
    """Getting, renewing and ending a grant. `extra` holds the token's proof and when it was issued."""

    def __init__(self, endpoints: ThreadsEndpoints, api: ThreadsApi) -> None:
        self._endpoints = endpoints
        self._api = api

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the page's address. Threads knows no PKCE, so nothing has to be kept."""
        query = urlencode(
            {
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "scope": ",".join(SCOPES + REMOVAL_SCOPES),
                "response_type": "code",
                "state": state,
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
        """Trade the code for a token, that for a lasting one, and ask what it was really granted."""
        if "error" in callback:
            raise ReauthorisationNeeded("access_denied", "the person refused the permission")
        code = code_from(callback)
        if code is None:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        form = {
            "client_id": client.client_id,
            "client_secret": secret_of(client, "Threads"),
            "grant_type": "authorization_code",
            "redirect_uri": client.redirect_uri,
            "code": code,
        }
        url = f"{self._endpoints.graph}/oauth/access_token"
        short = converted(await trade(http, url, form, table=THREADS_ERRORS, clock=clock), ShortToken)
        lengthen: dict[str, str | Secret] = {
            "grant_type": "th_exchange_token",
            "client_secret": secret_of(client, "Threads"),
            "access_token": Secret(short.access_token),
        }
        token = await self._get_token(http, "access_token", lengthen, clock)
        grant = _grant(client, str(short.user_id), token, SCOPES + REMOVAL_SCOPES, clock.now())
        return replace(grant, scopes=await self._granted(Call(http, clock, grant)))

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew the token. In its first day Threads does not, so then it is only asked whether it still works."""
        issued_at = grant.extra.get(_ISSUED_AT)
        if issued_at and clock.now() - datetime.fromisoformat(issued_at.reveal()) < REFRESH_AGE_MIN:
            await self._api.get(Call(http, clock, grant), "me", Made, fields="id")
            return grant
        parameters: dict[str, str | Secret] = {
            "grant_type": "th_refresh_token",
            "access_token": grant.access_token,
            PROOF: grant.extra[PROOF],
        }
        token = await self._get_token(http, "refresh_access_token", parameters, clock)
        return _grant(client, grant.account_id, token, grant.scopes, clock.now())

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """Threads has no call that ends a grant, so it never confirms; only the person can end it there."""
        raise Rejected(
            "revoke_unsupported",
            "Threads has no way for an application to end its access",
            advice="Remove the application in Threads: Settings, Account, Website permissions.",
        )

    async def _granted(self, call: Call) -> tuple[str, ...]:
        """The permissions the person ticked. Some accounts may not ask that; then what was asked for is believed,
        and a missing one shows itself where it is used."""
        try:
            told = await self._api.get(call, "debug_token", Debugged, input_token=call.grant.access_token)
        except PlatformError:
            return SCOPES + REMOVAL_SCOPES
        return tuple(told.data.scopes) or SCOPES + REMOVAL_SCOPES

    async def _get_token(
        self, http: httpx.AsyncClient, path: str, parameters: Mapping[str, str | Secret], clock: Clock
    ) -> Token:
        """These two are documented as GET alone, with everything in the query; the client logs no addresses."""
        url = f"{self._endpoints.graph}/{path}"
        return await trade_token(http, url, parameters, table=THREADS_ERRORS, clock=clock, method="GET")


def _grant(client: ClientCredentials, account_id: str, token: Token, scopes: tuple[str, ...], now: datetime) -> Grant:
    access_token = Secret(token.access_token)
    return Grant(
        account_id=account_id,
        access_token=access_token,
        refresh_token=None,
        scopes=scopes,
        expires_at=token.expires_at(now),
        refresh_expires_at=None,
        extra={
            PROOF: appsecret_proof(secret_of(client, "Threads"), access_token),
            _ISSUED_AT: Secret(now.isoformat()),
        },
    )
