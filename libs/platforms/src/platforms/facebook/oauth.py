"""Facebook Login: a code becomes a person's long-lived token, and that the tokens of their Pages."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.errors import PlatformError, ReauthorisationNeeded, Rejected
from platforms.facebook.answers import Named, Permissions
from platforms.facebook.endpoints import FacebookEndpoints
from platforms.facebook.errors import FACEBOOK_ERRORS
from platforms.facebook.limits import AUTHORISATION_SECONDS
from platforms.facebook.pages import BUSINESSES, Opened, Pages, look_again_at
from platforms.meta.graph import Graph, Key
from platforms.meta.signing import appsecret_proof
from platforms.meta.tokens import Token, code_from, trade_token
from platforms.meta.versions import GRAPH_VERSION
from platforms.shape import Authorisation, Call, ClientCredentials, Grant
from platforms.tokens import secret_of

SCOPES = (
    "pages_show_list",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_engagement",
    "pages_read_user_content",
    "read_insights",
)
"""What publishing, first comments and measuring need."""

OPTIONAL_SCOPES = (BUSINESSES,)
"""Without it Pages that belong to a business may be missing from the list; everything else works."""

_ONLY_EXPIRED = "190.463"


class OAuth:
    """Getting, renewing and ending a grant of Facebook Login."""

    def __init__(self, endpoints: FacebookEndpoints, graph: Graph, pages: Pages) -> None:
        self._endpoints = endpoints
        self._graph = graph
        self._pages = pages

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        """Build the dialog's address. A permission the person once declined is asked for again."""
        query = urlencode(
            {
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "state": state,
                "response_type": "code",
                "scope": ",".join(SCOPES + OPTIONAL_SCOPES),
                "auth_type": "rerequest",
            }
        )
        return Authorisation(
            url=f"{self._endpoints.web}/{GRAPH_VERSION}/dialog/oauth?{query}",
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
        """The grant of the first Page the person may post to; it knows the others until one is chosen.

        Who ticked too little gets a grant without a Page, which names the permissions there are.
        """
        if "error" in callback:
            raise ReauthorisationNeeded("access_denied", "the person refused the permission")
        code = code_from(callback)
        if code is None:
            raise ReauthorisationNeeded("code_missing", "the callback brought no code for this authorisation")
        try:
            short = await self._trade(http, client, {"redirect_uri": client.redirect_uri, "code": code}, clock)
        except Rejected as error:
            raise ReauthorisationNeeded(error.code, "the code is used, expired or not for us") from None
        opened = await self._open(
            http, client, await self._lengthen(http, client, Secret(short.access_token), clock), clock
        )
        if opened.pages:
            return opened.grant(next(iter(opened.pages)), with_others=True)
        if set(SCOPES) <= set(opened.scopes):
            await self._give_back(http, client, opened.grant_of_person(), clock)
            raise ReauthorisationNeeded("no_page", "the person has no Page that may be posted to from here")
        return opened.grant_of_person()

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        """Renew the person's token and read the Page's again.

        A person's token that has only run out takes nothing from the Page's, so that one is tried then.
        """
        try:
            if grant.refresh_token is None:
                return await self._still_good(http, grant, clock)
            token = await self._lengthen(http, client, grant.refresh_token, clock)
        except ReauthorisationNeeded as error:
            if error.code != _ONLY_EXPIRED or grant.refresh_token is None:
                raise
            return await self._still_good(http, grant, clock)
        opened = await self._open(http, client, token, clock)
        return opened.grant(grant.account_id, with_others="pages" in grant.extra)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End all the person ever allowed us, their other Pages included: Facebook knows nothing smaller.

        Our application's own token does it, so it works when theirs is dead.
        """
        secret = secret_of(client, "Facebook").reveal()
        app = Key(Secret(f"{client.client_id}|{secret}"))
        call = Call(http, clock, grant)
        await self._graph.delete(call, f"{grant.extra['user_id'].reveal()}/permissions", key=app)

    async def _open(self, http: httpx.AsyncClient, client: ClientCredentials, token: Token, clock: Clock) -> Opened:
        """Who the person is, what they ticked, and which Pages that opens."""
        key, now = _key(client, token.access_token), clock.now()
        opened = Opened("", key, (), token.expires_at(now), now)
        call = Call(http, clock, opened.grant_of_person())
        me = await self._graph.get(call, "me", Named, key=key, fields="id,name")
        told = await self._graph.get(call, "me/permissions", Permissions, key=key)
        scopes = tuple(sorted(each.permission for each in told.data if each.status == "granted"))
        pages = await self._pages.read(call, key, scopes) if "pages_show_list" in scopes else []
        keys = {page.id: _key(client, page.access_token) for page in pages if page.access_token}
        return replace(opened, user_id=me.id, scopes=scopes, pages=keys)

    async def _still_good(self, http: httpx.AsyncClient, grant: Grant, clock: Clock) -> Grant:
        await self._pages.one(Call(http, clock, grant))
        return replace(grant, expires_at=look_again_at(clock.now()))

    async def _give_back(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, clock: Clock) -> None:
        """A grant that opens nothing is not kept; where that fails, the person can still end it at Facebook."""
        with contextlib.suppress(PlatformError):
            await self.revoke(http, client, grant, clock=clock)

    async def _lengthen(self, http: httpx.AsyncClient, client: ClientCredentials, token: Secret, clock: Clock) -> Token:
        form: dict[str, str | Secret] = {"grant_type": "fb_exchange_token", "fb_exchange_token": token}
        return await self._trade(http, client, form, clock)

    async def _trade(
        self, http: httpx.AsyncClient, client: ClientCredentials, form: Mapping[str, str | Secret], clock: Clock
    ) -> Token:
        """In the form's body: an address is written into logs on the way, and this one would hold the secret."""
        fields = {"client_id": client.client_id, "client_secret": secret_of(client, "Facebook")} | dict(form)
        url = f"{self._endpoints.graph}/{GRAPH_VERSION}/oauth/access_token"
        return await trade_token(http, url, fields, table=FACEBOOK_ERRORS, clock=clock)


def _key(client: ClientCredentials, token: str) -> Key:
    access_token = Secret(token)
    return Key(access_token, appsecret_proof(secret_of(client, "Facebook"), access_token))
