"""What OAuth 2.0 is the same for many platforms: proving who we are, PKCE, trading codes and tokens, keeping grants.

What a platform does in its own way (pages, scopes, whose tokens they are, ending them) stays in its `oauth` module.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import httpx
import msgspec
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import Misconfigured, PlatformError, ReauthorisationNeeded
from platforms.shape import ClientCredentials, Grant
from platforms.wire import Answer, converted, send


class Tokens(msgspec.Struct, frozen=True):
    """Both kinds of a token endpoint's success; times in seconds from now."""

    access_token: str
    expires_in: int
    scope: str = ""
    refresh_token: str | None = None
    refresh_token_expires_in: int | None = None


Told = TypeVar("Told", bound=Tokens)

Shown = tuple[Mapping[str, str], Mapping[str, str]]
"""Form fields and headers."""

VERIFIER = "code_verifier"


def challenge_of(verifier: str) -> str:
    """RFC 7636, S256: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def secret_of(client: ClientCredentials, platform: str) -> Secret:
    """Our secret at a platform that cannot do without."""
    if client.client_secret is None:
        raise Misconfigured("client_secret_missing", f"{platform} needs a client secret")
    return client.client_secret


def in_body(client: ClientCredentials, platform: str, *, id_field: str = "client_id") -> Shown:
    """Our id and secret as fields of the form."""
    return {id_field: client.client_id, "client_secret": secret_of(client, platform).reveal()}, {}


def in_header(client: ClientCredentials, platform: str) -> Shown:
    """Our id and secret as Basic authentication."""
    pair = f"{client.client_id}:{secret_of(client, platform).reveal()}"
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@dataclass(frozen=True)
class TokenServer(Generic[Told]):
    """One platform's token endpoint at `base` + `path`: what it answers, how it says no, how we show who we are."""

    platform: str
    base: str
    path: str
    answer: type[Told]
    error: Callable[[Answer, datetime], PlatformError]
    show: Callable[[ClientCredentials, str], Shown] = in_body

    async def redeem(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
        pkce: bool = True,
    ) -> Told:
        """Trade the callback's code for tokens. With `pkce` the verifier must have been kept."""
        if "code" not in callback or (pkce and VERIFIER not in kept):
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
        }
        if pkce:
            form[VERIFIER] = kept[VERIFIER].reveal()
        return await self._trade(http, client, form, clock)

    async def renew(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Told:
        """Trade the refresh token for new tokens."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed: the person must return")
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token.reveal()}
        return await self._trade(http, client, form, clock)

    async def post(
        self, http: httpx.AsyncClient, client: ClientCredentials, path: str, form: Mapping[str, str]
    ) -> Answer:
        """Any form that needs our credentials, such as a revocation."""
        fields, headers = self.show(client, self.platform)
        request = http.build_request("POST", f"{self.base}{path}", data={**fields, **form}, headers=dict(headers))
        return await send(http, request)

    async def _trade(
        self, http: httpx.AsyncClient, client: ClientCredentials, form: Mapping[str, str], clock: Clock
    ) -> Told:
        """Only a token is a success: errors have been seen with status 200."""
        answer = await self.post(http, client, self.path, form)
        document = answer.json()
        if not document.get("access_token"):
            raise self.error(answer, clock.now())
        return converted(document, self.answer)


def granted(tokens: Tokens, *, now: datetime, before: Grant | None = None) -> Grant:
    """The grant that an answer makes. What the platform does not send again stays as it was `before`."""
    lasting = tokens.refresh_token_expires_in
    kept = (before.refresh_token, before.refresh_expires_at, before.scopes) if before else (None, None, ())
    return Grant(
        account_id=before.account_id if before else "",
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else kept[0],
        # Spaces and commas have both been seen, even of one platform.
        scopes=tuple(tokens.scope.replace(",", " ").split()) or kept[2],
        expires_at=now + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=now + timedelta(seconds=lasting) if lasting else kept[1],
        extra=before.extra if before else {},
    )
