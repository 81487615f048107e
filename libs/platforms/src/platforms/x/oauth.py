"""X's authorisation: OAuth 2.0 with PKCE, rotating refresh tokens that work once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import ReauthorisationNeeded
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import VERIFIER, Shown, Tokens, TokenServer, challenge_of, granted, in_header
from platforms.x import answers
from platforms.x.endpoints import XEndpoints
from platforms.x.errors import oauth_error, refused_by_person
from platforms.x.limits import AUTHORISATION_SECONDS, REFRESH_SECONDS
from platforms.x.reading import Reading

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")


class OAuth:
    """Getting, renewing and ending a grant."""

    def __init__(self, endpoints: XEndpoints, reading: Reading) -> None:
        self._endpoints = endpoints
        self._reading = reading
        self._server = TokenServer("X", f"{endpoints.api}/2/oauth2/", "token", answers.Tokens, oauth_error, _show)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the page's address. The code it leads to lives for 30 seconds only."""
        verifier = secrets.token_urlsafe(48)
        query = urlencode(
            {
                "response_type": "code",
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "scope": " ".join(SCOPES),
                "state": state,
                "code_challenge": challenge_of(verifier),
                "code_challenge_method": "S256",
            }
        )
        return Authorisation(
            url=f"{self._endpoints.web}/i/oauth2/authorize?{query}",
            kept={VERIFIER: Secret(verifier)},
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
        """Trade the code for tokens, then ask whose they are, because the tokens do not tell."""
        if "error" in callback:
            raise refused_by_person(callback["error"])
        tokens = await self._server.redeem(http, client, callback=callback, kept=kept, clock=clock)
        nameless = _grant(tokens, clock.now(), before=None)
        if not {"tweet.read", "users.read"} <= set(nameless.scopes):
            # Without them not even the account can be asked for; the caller sees which scope is missing.
            return nameless
        user = await self._reading.user(Call(http, clock, nameless))
        # The user name builds the addresses of posts, which lead to the post even after it has changed.
        return replace(nameless, account_id=user.id, extra={"username": Secret(user.username)})

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Rotate the tokens. Using the old refresh token again would end the whole family."""
        return _grant(await self._server.renew(http, client, grant, clock=clock), clock.now(), before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End both tokens. The access token goes last: where it died with the other, that is confirmed as well."""
        first, *others = [
            (token, hint)
            for token, hint in ((grant.refresh_token, "refresh_token"), (grant.access_token, "access_token"))
            if token is not None
        ]
        await self._revoke(http, client, *first, clock=clock)
        for token, hint in others:
            try:
                await self._revoke(http, client, token, hint, clock=clock)
            except ReauthorisationNeeded:
                continue

    async def _revoke(
        self, http: httpx.AsyncClient, client: ClientCredentials, token: Secret, hint: str, *, clock: Clock
    ) -> None:
        answer = await self._server.post(http, client, "revoke", {"token": token.reveal(), "token_type_hint": hint})
        if answer.status != 200:
            raise oauth_error(answer, clock.now())


def _show(client: ClientCredentials, platform: str) -> Shown:
    """A confidential client shows its secret in the header; a public one names itself in the form."""
    return in_header(client, platform) if client.client_secret else ({"client_id": client.client_id}, {})


def _grant(tokens: Tokens, now: datetime, *, before: Grant | None) -> Grant:
    """A refresh token works once, so the old one is never kept; X does not say how long the new one lasts."""
    until = now + timedelta(seconds=REFRESH_SECONDS) if tokens.refresh_token else None
    fresh = Secret(tokens.refresh_token) if tokens.refresh_token else None
    return replace(granted(tokens, now=now, before=before), refresh_token=fresh, refresh_expires_at=until)
