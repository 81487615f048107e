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

from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.linkedin.accounts import PERSON, Accounts
from platforms.linkedin.answers import Introspection, Tokens
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.errors import oauth_error
from platforms.linkedin.limits import AUTHORISATION_SECONDS
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.wire import Answer, converted, send

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
        if "code" not in callback:
            raise ReauthorisationNeeded("code_missing", "the person refused, or the callback brought no code")
        form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": client.redirect_uri}
        grant = await self._tokens(http, client, form=form, clock=clock, before=None)
        if not {"r_basicprofile", "openid"} & set(grant.scopes):
            # Without one of them nobody can be asked for; the caller sees which scope is missing.
            return grant
        call = Call(http, clock, grant)
        person = await self._accounts.person(call)
        opened = await self._accounts.accounts(call) or [person]
        return replace(grant, account_id=opened[0].account_id, extra={PERSON: Secret(person.account_id)})

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew the access token, and keep whatever refresh token comes back."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "LinkedIn gave no refresh token: the person must return")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        return await self._tokens(http, client, form=form, clock=clock, before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the token. LinkedIn's pages do not describe this call, so the token is looked at afterwards."""
        form = {"token": grant.access_token.reveal()}
        answer = await self._post(http, client, "/revoke", form)
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())
        if await self.alive(http, client, grant, clock=clock):
            raise Misconfigured("still_active", "LinkedIn took the call but the token is still active")

    async def alive(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> bool:
        """True if LinkedIn still accepts the access token."""
        answer = await self._post(http, client, "/introspectToken", {"token": grant.access_token.reveal()})
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())
        return answer.parse(Introspection).active

    async def _tokens(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        form: Mapping[str, str],
        clock: Clock,
        before: Grant | None,
    ) -> Grant:
        answer = await self._post(http, client, "/accessToken", form)
        document = answer.json()
        if answer.status != 200 or not document.get("access_token"):
            raise oauth_error(answer, now=clock.now())
        return _grant(converted(document, Tokens), clock, before)

    async def _post(
        self, http: httpx.AsyncClient, client: ClientCredentials, path: str, form: Mapping[str, str]
    ) -> Answer:
        if client.client_secret is None:
            raise Misconfigured("client_secret_missing", "LinkedIn needs a client secret")
        own = {"client_id": client.client_id, "client_secret": client.client_secret.reveal()}
        return await send(http, http.build_request("POST", f"{self._base}{path}", data={**form, **own}))


def _grant(tokens: Tokens, clock: Clock, before: Grant | None) -> Grant:
    """What LinkedIn does not send again stays as it was."""
    now, lasting = clock.now(), tokens.refresh_token_expires_in
    kept = (before.refresh_token, before.refresh_expires_at, before.scopes) if before else (None, None, ())
    return Grant(
        account_id=before.account_id if before else "",
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else kept[0],
        # Both separators have been seen.
        scopes=tuple(tokens.scope.replace(",", " ").split()) or kept[2],
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=lasting) if lasting else kept[1],
        extra=before.extra if before else {},
    )
