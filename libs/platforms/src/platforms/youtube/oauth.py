"""Google's authorisation: PKCE, a refresh token that comes with the consent and stays, one channel a consent."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.wire import Answer, converted, send
from platforms.youtube.answers import Tokens
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


def challenge_of(verifier: str) -> str:
    """RFC 7636: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class OAuth:
    """Getting, renewing and ending a grant at Google."""

    def __init__(self, endpoints: YouTubeEndpoints, channels: Channels) -> None:
        self._endpoints = endpoints
        self._channels = channels

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
        """Trade the code for tokens and ask whose channel they are for. The person may have unticked scopes."""
        if "error" in callback:
            raise callback_error(callback["error"])
        if "code" not in callback or "code_verifier" not in kept:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
            "code_verifier": kept["code_verifier"].reveal(),
        }
        tokens = await self._tokens(http, client, form=form, clock=clock)
        if tokens.refresh_token is None:
            raise ReauthorisationNeeded(
                "refresh_token_missing", "Google gave no lasting access; remove ours in the Google account first"
            )
        grant = _grant(tokens, clock, account_id="", before=None)
        if MANAGE not in grant.scopes:
            # Without it not even the channel can be asked for; the caller sees which scope is missing.
            return grant
        return await self._channels.first(Call(http, clock, grant))

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Get a new access token. The refresh token stays the same unless Google sends another."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        tokens = await self._tokens(http, client, form=form, clock=clock)
        return _grant(tokens, clock, account_id=grant.account_id, before=grant)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the whole grant; either token does that. One that is dead already is as good as ended."""
        token = grant.refresh_token or grant.access_token
        url = f"{self._endpoints.oauth}/revoke"
        answer = await send(http, http.build_request("POST", url, data={"token": token.reveal()}))
        if answer.status == 400 and answer.json().get("error") == "invalid_token":
            return
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())

    async def _tokens(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, form: Mapping[str, str], clock: Clock
    ) -> Tokens:
        if client.client_secret is None:
            raise Misconfigured("client_secret_missing", "Google needs a client secret")
        credentials = {"client_id": client.client_id, "client_secret": client.client_secret.reveal()}
        url = f"{self._endpoints.oauth}/token"
        answer: Answer = await send(http, http.build_request("POST", url, data=credentials | dict(form)))
        document = answer.json()
        if answer.status != 200 or not document.get("access_token"):
            raise oauth_error(answer, now=clock.now())
        return converted(document, Tokens)


def _grant(tokens: Tokens, clock: Clock, *, account_id: str, before: Grant | None) -> Grant:
    """What Google does not send again stays as it was."""
    now, lasting = clock.now(), tokens.refresh_token_expires_in
    kept = (before.refresh_token, before.refresh_expires_at, before.scopes) if before else (None, None, ())
    return Grant(
        account_id=account_id,
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else kept[0],
        scopes=tuple(tokens.scope.split()) or kept[2],
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=lasting) if lasting else kept[1],
        extra=before.extra if before else {},
    )
