"""X's authorisation: OAuth 2.0 with PKCE, rotating refresh tokens that work once."""

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

from platforms.errors import ReauthorisationNeeded
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.wire import Answer, send
from platforms.x import answers
from platforms.x.endpoints import XEndpoints
from platforms.x.errors import oauth_error, refused_by_person
from platforms.x.limits import AUTHORISATION_SECONDS, REFRESH_SECONDS
from platforms.x.reading import Reading

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class OAuth:
    """Getting, renewing and ending a grant."""

    def __init__(self, endpoints: XEndpoints, reading: Reading) -> None:
        self._endpoints = endpoints
        self._reading = reading

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
        """Trade the code for tokens, then ask whose they are, because the tokens do not tell."""
        if "error" in callback:
            raise refused_by_person(callback["error"])
        if "code" not in callback or "code_verifier" not in kept:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
            "code_verifier": kept["code_verifier"].reveal(),
        }
        nameless = _grant(await self._tokens(http, client, form=form, clock=clock), "", {}, clock)
        user = await self._reading.user(Call(http, clock, nameless))
        return _named(nameless, user)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Rotate the tokens. Using the old refresh token again would end the whole family."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        tokens = await self._tokens(http, client, form=form, clock=clock)
        return _grant(tokens, grant.account_id, grant.extra, clock, scopes=grant.scopes)

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
        answer = await self._post(http, client, "revoke", {"token": token.reveal(), "token_type_hint": hint})
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())

    async def _tokens(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, form: Mapping[str, str], clock: Clock
    ) -> answers.Tokens:
        answer = await self._post(http, client, "token", form)
        if answer.status != 200:
            raise oauth_error(answer, now=clock.now())
        return answer.parse(answers.Tokens)

    async def _post(
        self, http: httpx.AsyncClient, client: ClientCredentials, path: str, form: Mapping[str, str]
    ) -> Answer:
        """A confidential client shows its secret in the header; a public one names itself in the form."""
        url = f"{self._endpoints.api}/2/oauth2/{path}"
        if client.client_secret is None:
            return await send(http, http.build_request("POST", url, data={**form, "client_id": client.client_id}))
        basic = base64.b64encode(f"{client.client_id}:{client.client_secret.reveal()}".encode()).decode()
        return await send(
            http, http.build_request("POST", url, data=dict(form), headers={"Authorization": f"Basic {basic}"})
        )


def _grant(
    tokens: answers.Tokens, account_id: str, extra: Mapping[str, Secret], clock: Clock, scopes: tuple[str, ...] = ()
) -> Grant:
    now = clock.now()
    return Grant(
        account_id=account_id,
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else None,
        scopes=tuple(tokens.scope.split()) or scopes,
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=REFRESH_SECONDS) if tokens.refresh_token else None,
        extra=extra,
    )


def _named(grant: Grant, user: answers.User) -> Grant:
    """The user name builds the addresses of posts, which lead to the post even after it has changed."""
    return Grant(
        account_id=user.id,
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        scopes=grant.scopes,
        expires_at=grant.expires_at,
        refresh_expires_at=grant.refresh_expires_at,
        extra={"username": Secret(user.username)},
    )
