"""TikTok's authorisation: hex PKCE, comma-separated scopes, rotating refresh tokens (Login Kit v2)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import PlatformError, ReauthorisationNeeded
from platforms.shape import Authorisation, ClientCredentials, Grant
from platforms.tiktok.answers import Tokens
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.errors import oauth_error
from platforms.tiktok.limits import AUTHORISATION_SECONDS
from platforms.tokens import VERIFIER, TokenServer, granted, in_body
from platforms.wire import Answer

# Account statistics (`user.info.stats`) are not shown anywhere, so they are not asked for.
SCOPES = ("user.info.basic", "user.info.profile", "video.publish", "video.list")


def challenge_of(verifier: str) -> str:
    """TikTok's challenge is the lower-case hex of SHA-256, not RFC 7636's base64url."""
    return hashlib.sha256(verifier.encode()).hexdigest()


class OAuth:
    """Getting, renewing and ending a grant of TikTok's Login Kit."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._endpoints = endpoints
        show = partial(in_body, id_field="client_key")
        self._server = TokenServer("TikTok", f"{endpoints.api}/v2/oauth/", "token/", Tokens, _error, show)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the page's address. The challenge is sent although web applications may leave it out."""
        verifier = secrets.token_urlsafe(48)
        query = urlencode(
            {
                "client_key": client.client_id,
                "scope": ",".join(SCOPES),
                "response_type": "code",
                "redirect_uri": client.redirect_uri,
                "state": state,
                "code_challenge": challenge_of(verifier),
                "code_challenge_method": "S256",
                # Without it TikTok silently re-uses an old grant, perhaps of another account.
                "disable_auto_auth": "1",
            }
        )
        return Authorisation(
            url=f"{self._endpoints.web}/v2/auth/authorize/?{query}",
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
        """Trade the code for tokens. The grant names the scopes the person really ticked."""
        if "error" in callback:
            raise oauth_error(400, callback["error"], log_id=None, now=clock.now())
        tokens = await self._server.redeem(http, client, callback=callback, kept=kept, clock=clock)
        return replace(granted(tokens, now=clock.now()), account_id=tokens.open_id)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Rotate the tokens. The old refresh token is dead afterwards: store the pair before using it."""
        tokens = await self._server.renew(http, client, grant, clock=clock)
        if tokens.open_id != grant.account_id:
            raise ReauthorisationNeeded("account_changed", "the renewed tokens belong to another account")
        return granted(tokens, now=clock.now(), before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the grant. TikTok confirms with status 200 and an empty body."""
        answer = await self._server.post(http, client, "revoke/", {"token": grant.access_token.reveal()})
        if answer.status != 200 or "error" in answer.json():
            raise _error(answer, clock.now())


def _error(answer: Answer, now: datetime) -> PlatformError:
    document = answer.json()
    return oauth_error(answer.status, document.get("error"), log_id=document.get("log_id"), now=now)
