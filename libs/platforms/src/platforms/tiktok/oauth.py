"""TikTok's authorisation: hex PKCE, comma-separated scopes, rotating refresh tokens (Login Kit v2)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.shape import Authorisation, ClientCredentials, Grant
from platforms.tiktok.answers import Tokens
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.errors import oauth_error
from platforms.tiktok.limits import AUTHORISATION_SECONDS
from platforms.wire import Answer, converted, send

# Account statistics (`user.info.stats`) are not shown anywhere, so they are not asked for.
SCOPES = ("user.info.basic", "user.info.profile", "video.publish", "video.list")


def challenge_of(verifier: str) -> str:
    """TikTok's challenge is the lower-case hex of SHA-256, not RFC 7636's base64url."""
    return hashlib.sha256(verifier.encode()).hexdigest()


class OAuth:
    """Getting, renewing and ending a grant of TikTok's Login Kit."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._endpoints = endpoints

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
            kept={"code_verifier": Secret(verifier)},
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
        if "code" not in callback or "code_verifier" not in kept:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
            "code_verifier": kept["code_verifier"].reveal(),
        }
        return await self._tokens(http, client, form=form, clock=clock)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Rotate the tokens. The old refresh token is dead afterwards: store the pair before using it."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        renewed = await self._tokens(http, client, form=form, clock=clock)
        if renewed.account_id != grant.account_id:
            raise ReauthorisationNeeded("account_changed", "the renewed tokens belong to another account")
        return renewed

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the grant. TikTok confirms with status 200 and an empty body."""
        answer = await self._post(http, client, path="revoke/", form={"token": grant.access_token.reveal()})
        if answer.status != 200 or "error" in answer.json():
            raise _error(answer, clock)

    async def _tokens(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        form: Mapping[str, str],
        clock: Clock,
    ) -> Grant:
        answer = await self._post(http, client, path="token/", form=form)
        document = answer.json()
        # Errors have been seen with status 200, so only a token is a success.
        if not document.get("access_token"):
            raise _error(answer, clock)
        return _grant(converted(document, Tokens), clock)

    async def _post(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        path: str,
        form: Mapping[str, str],
    ) -> Answer:
        if client.client_secret is None:
            raise Misconfigured("client_secret_missing", "TikTok needs a client secret")
        credentials = {"client_key": client.client_id, "client_secret": client.client_secret.reveal()}
        url = f"{self._endpoints.api}/v2/oauth/{path}"
        return await send(http, http.build_request("POST", url, data=credentials | dict(form)))


def _grant(tokens: Tokens, clock: Clock) -> Grant:
    now = clock.now()
    return Grant(
        account_id=tokens.open_id,
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else None,
        scopes=tuple(scope for scope in tokens.scope.split(",") if scope),
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=tokens.refresh_expires_in) if tokens.refresh_expires_in else None,
    )


def _error(answer: Answer, clock: Clock) -> Exception:
    document = answer.json()
    return oauth_error(answer.status, document.get("error"), log_id=document.get("log_id"), now=clock.now())
