"""Bluesky's authorisation: pushed request, PKCE, DPoP, single-use refresh tokens (RFC 9126, 7636, 9449)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.bluesky.answers import ServerMetadata, Tokens
from platforms.bluesky.dpop import BOUND_TO_KEY, Signer, create_key
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.errors import oauth_error
from platforms.bluesky.identity import Directory
from platforms.bluesky.limits import AUTHORISATION_SECONDS, SESSION_SECONDS
from platforms.bluesky.servers import Servers
from platforms.errors import ReauthorisationNeeded
from platforms.shape import Authorisation, ClientCredentials, Grant
from platforms.tokens import challenge_of
from platforms.wire import Answer

# Writing posts, saying who may reply and quote, uploading files, nothing else: no reading of messages.
# A token to be lent for uploading is for the account's own server, whose name is not known when this is asked.
SCOPES = (
    "atproto",
    "repo:app.bsky.feed.post?action=create&action=update",
    "repo:app.bsky.feed.threadgate?action=create",
    "repo:app.bsky.feed.postgate?action=create",
    "blob:image/*",
    "rpc:com.atproto.repo.uploadBlob?aud=*",
    "rpc:app.bsky.video.getUploadLimits?aud=*",
)
# Taking off again what was written so. Asked for as well, and done without where a server does not grant it.
REMOVAL_SCOPES = (
    "repo:app.bsky.feed.post?action=delete",
    "repo:app.bsky.feed.threadgate?action=delete",
    "repo:app.bsky.feed.postgate?action=delete",
)


class OAuth:
    """The authorising half of the Bluesky client, as a public client (no secret of our own)."""

    def __init__(self, endpoints: BlueskyEndpoints, directory: Directory, servers: Servers) -> None:
        self._endpoints = endpoints
        self._directory = directory
        self._servers = servers

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Find the account's server and push the request there; without a handle, Bluesky's own sign-in."""
        if handle:
            identity = await self._directory.identify(http, handle)
            server = await self._directory.authorisation_server_of(http, identity.server)
            did = identity.did
        else:
            server, did = await self._directory.authorisation_server(http, self._endpoints.entryway), ""
        key, verifier = create_key(), secrets.token_urlsafe(48)
        form = {
            "client_id": client.client_id,
            "response_type": "code",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            "state": state,
            "redirect_uri": client.redirect_uri,
            "scope": " ".join(SCOPES + REMOVAL_SCOPES),
        }
        if handle:
            form["login_hint"] = handle.strip().removeprefix("@")
        answer = await self._post(http, server.pushed_authorization_request_endpoint, form, key=key, clock=clock)
        document = answer.json()
        if not document.get("request_uri"):
            raise _error(answer, clock)
        query = urlencode({"client_id": client.client_id, "request_uri": str(document["request_uri"])})
        return Authorisation(
            url=f"{server.authorization_endpoint}?{query}",
            kept={
                "code_verifier": Secret(verifier),
                "dpop_key": key,
                "issuer": Secret(server.issuer),
                "did": Secret(did),
            },
            # The pushed request itself lives shorter, but only until the page is opened.
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
        """Trade the code for tokens, after `iss` and before `sub` are checked against what was asked."""
        issuer = kept["issuer"].reveal()
        if callback.get("iss") != issuer:
            raise ReauthorisationNeeded("issuer_mismatch", "the callback came from another authorisation server")
        if "error" in callback:
            raise oauth_error(callback["error"], 400, now=clock.now())
        if "code" not in callback:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code")
        server = await self._directory.authorisation_server(http, issuer)
        form = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": client.redirect_uri,
            "code_verifier": kept["code_verifier"].reveal(),
            "client_id": client.client_id,
        }
        answer = await self._post(http, server.token_endpoint, form, key=kept["dpop_key"], clock=clock)
        tokens = _tokens(answer, clock)
        pds = await self._verify_subject(http, tokens.sub, server, expected=kept["did"].reveal())
        extra = {"dpop_key": kept["dpop_key"], "issuer": Secret(issuer), "pds": Secret(pds)}
        return _grant(tokens, extra=extra, ends_at=clock.now() + timedelta(seconds=SESSION_SECONDS), clock=clock)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew the tokens. A refresh token works once; used twice, the server ends the session."""
        if grant.refresh_token is None:
            raise ReauthorisationNeeded("no_refresh_token", "this grant cannot be renewed")
        server = await self._directory.authorisation_server(http, grant.extra["issuer"].reveal())
        form = {
            "grant_type": "refresh_token",
            "refresh_token": grant.refresh_token.reveal(),
            "client_id": client.client_id,
        }
        answer = await self._post(http, server.token_endpoint, form, key=grant.extra["dpop_key"], clock=clock)
        tokens = _tokens(answer, clock)
        if tokens.sub != grant.account_id:
            raise ReauthorisationNeeded("account_changed", "the renewed tokens belong to another account")
        return _grant(tokens, extra=grant.extra, ends_at=grant.refresh_expires_at, clock=clock)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the session. The refresh token stands for it; the access token is the fallback."""
        server = await self._directory.authorisation_server(http, grant.extra["issuer"].reveal())
        token, hint = (
            (grant.refresh_token, "refresh_token") if grant.refresh_token else (grant.access_token, "access_token")
        )
        form = {"token": token.reveal(), "token_type_hint": hint, "client_id": client.client_id}
        answer = await self._post(http, server.revocation_endpoint, form, key=grant.extra["dpop_key"], clock=clock)
        if answer.status != 200:
            raise _error(answer, clock)

    async def _verify_subject(self, http: httpx.AsyncClient, did: str, server: ServerMetadata, *, expected: str) -> str:
        """Any server can claim any account; the account's own document says who may speak for it."""
        if expected and did != expected:
            raise ReauthorisationNeeded("account_changed", "another account was authorised than was asked for")
        identity = await self._directory.describe(http, did)
        theirs = await self._directory.authorisation_server_of(http, identity.server)
        if theirs.issuer != server.issuer:
            raise ReauthorisationNeeded("issuer_mismatch", "the account is authorised by another server")
        return identity.server

    async def _post(
        self, http: httpx.AsyncClient, url: str, form: Mapping[str, str], *, key: Secret, clock: Clock
    ) -> Answer:
        signer = Signer(http, clock, self._servers, key)
        return await signer.send(lambda: http.build_request("POST", url, data=dict(form)))


def _tokens(answer: Answer, clock: Clock) -> Tokens:
    if answer.status != 200 or not answer.json().get("access_token"):
        raise _error(answer, clock)
    tokens = answer.parse(Tokens)
    if tokens.token_type != BOUND_TO_KEY:
        raise ReauthorisationNeeded("token_unbound", "the server issued a token that is not bound to our key")
    return tokens


def _grant(tokens: Tokens, *, extra: Mapping[str, Secret], ends_at: datetime | None, clock: Clock) -> Grant:
    scopes = tuple(tokens.scope.split())
    if "atproto" not in scopes:
        raise ReauthorisationNeeded("scope_missing", "the grant lacks the basic permission")
    return Grant(
        account_id=tokens.sub,
        access_token=Secret(tokens.access_token),
        refresh_token=Secret(tokens.refresh_token) if tokens.refresh_token else None,
        scopes=scopes,
        expires_at=clock.now() + timedelta(seconds=tokens.expires_in),
        refresh_expires_at=ends_at,
        extra=dict(extra),
    )


def _error(answer: Answer, clock: Clock) -> Exception:
    return oauth_error(answer.json().get("error"), answer.status, now=clock.now(), headers=answer.headers)
