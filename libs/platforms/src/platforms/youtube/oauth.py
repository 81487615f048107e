"""Google's authorisation: PKCE, a refresh token that comes with the consent and stays, one channel a consent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import VERIFIER, Tokens, TokenServer, challenge_of, granted
from platforms.wire import send
from platforms.youtube.channels import Channels
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.errors import callback_error, oauth_error
from platforms.youtube.limits import AUTHORISATION_SECONDS

_PREFIX = "https://www.googleapis.com/auth/"
MANAGE = f"{_PREFIX}youtube.force-ssl"
ANALYTICS = f"{_PREFIX}yt-analytics.readonly"

# One scope uploads, shows, comments and reads; the narrower upload scope could not show what it uploaded.
SCOPES = (MANAGE,)
# Asked for as well, and done without where the person unticks it.
OPTIONAL_SCOPES = (ANALYTICS,)


class OAuth:
    """Getting, renewing and ending a grant at Google."""

    def __init__(self, endpoints: YouTubeEndpoints, channels: Channels) -> None:
        self._endpoints = endpoints
        self._channels = channels
        self._server = TokenServer("Google", endpoints.oauth, "/token", Tokens, oauth_error)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the page's address. Consent is always asked for, because only it brings a refresh token."""
        verifier = secrets.token_urlsafe(48)
        query = {
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "response_type": "code",
            "scope": " ".join((*SCOPES, *OPTIONAL_SCOPES)),
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "true",
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return Authorisation(
            url=f"{self._endpoints.accounts}/o/oauth2/v2/auth?{urlencode(query)}",
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
        """Trade the code for tokens and ask whose channel they are for. The person may have unticked scopes.

        Google can leave out the refresh token for who consented before; then the one from before goes on working.
        """
        if "error" in callback:
            raise callback_error(callback["error"])
        tokens = await self._server.redeem(http, client, callback=callback, kept=kept, clock=clock)
        grant = granted(tokens, now=clock.now())
        if MANAGE not in grant.scopes:
            # Without it not even the channel can be asked for; the caller sees which scope is missing.
            return grant
        return await self._channels.first(Call(http, clock, grant))

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Get a new access token. The refresh token stays the same unless Google sends another."""
        return granted(await self._server.renew(http, client, grant, clock=clock), now=clock.now(), before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the whole grant; either token does that. One that is dead already is as good as ended."""
        token = grant.refresh_token or grant.access_token
        url = f"{self._endpoints.oauth}/revoke"
        answer = await send(http, http.build_request("POST", url, data={"token": token.reveal()}))
        if answer.status == 400 and answer.json().get("error") == "invalid_token":
            return
        if answer.status != 200:
            raise oauth_error(answer, clock.now())
