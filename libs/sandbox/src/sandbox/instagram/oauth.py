"""The imitated Instagram Login: a code, an hour's token, one of sixty days, its renewal from the second day on."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from sandbox.instagram.state import BASIC, InstagramState
from sandbox.meta.answers import AnyRequest, GraphError, answer, invalid
from sandbox.meta.graph import Ask, read_parameters
from sandbox.meta.tokens import LONG_SECONDS, Token, TokenKind

SHORT_SECONDS = 3600
RENEWABLE_AFTER = timedelta(hours=24)


def add_edges(state: InstagramState) -> None:
    """The two calls that trade one token for another."""
    state.graph.on("GET", "access_token", lambda ask: _lengthen(state, ask), open_to_all=True)
    state.graph.on("GET", "refresh_access_token", lambda ask: _renew(state, ask), open_to_all=True)


def create_handlers(state: InstagramState) -> list[HTTPRouteHandler]:
    """The host where codes are traded, whose errors are in an envelope of their own."""

    @post("/oauth/access_token", status_code=200)
    async def redeem(request: AnyRequest) -> Response[bytes]:
        form, _ = await read_parameters(request)
        client = state.clients.get(form.get("client_id", ""))
        if client is None:
            return _refused("Invalid platform app")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), client.client_secret.encode()):
            return _refused("Error validating client secret.")
        if form.get("grant_type") != "authorization_code":
            return _refused("Invalid grant_type")
        code = state.dialog.redeem(
            form.get("code", ""), client_id=client.client_id, redirect_uri=form.get("redirect_uri", "")
        )
        if code is None:
            return _refused("Matching code was not found or was already used")
        account = state.accounts[code.person_id]
        token = state.tokens.issue(
            TokenKind.USER,
            client.client_id,
            user_id=account.person_id,
            account_id=account.user_id,
            scopes=code.scopes,
            seconds=SHORT_SECONDS,
        )
        return answer(_told(state, token))

    return [redeem]


def _told(state: InstagramState, token: Token) -> dict[str, Any]:
    """As documented, or flat with a number and a list, as it has been seen."""
    if state.flat_tokens:
        return {"access_token": token.value, "user_id": int(token.user_id), "permissions": token.scopes}
    permissions = ",".join(token.scopes)
    return {"data": [{"access_token": token.value, "user_id": token.user_id, "permissions": permissions}]}


def _refused(message: str) -> Response[bytes]:
    return answer({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)


async def _lengthen(state: InstagramState, ask: Ask) -> dict[str, Any]:
    if ask.parameters.get("grant_type") != "ig_exchange_token":
        raise invalid("Unsupported grant_type")
    short = state.tokens.find(ask.parameters.get("access_token", ""))
    secret = state.clients[short.client_id].client_secret
    if not hmac.compare_digest(ask.parameters.get("client_secret", "").encode(), secret.encode()):
        raise GraphError(1, "Error validating client secret.")
    if short.long_lived:
        raise GraphError(452, "Session key invalid. The token is long-lived already.")
    return _lasting(state, short)


async def _renew(state: InstagramState, ask: Ask) -> dict[str, Any]:
    """The old token lives on: nothing says that it dies."""
    if ask.parameters.get("grant_type") != "ig_refresh_token":
        raise invalid("Unsupported grant_type")
    old = state.tokens.authenticate(ask.request, ask.parameters)
    if not old.long_lived or state.clock.now() - old.issued_at < RENEWABLE_AFTER:
        raise invalid("The token must be a long-lived one and at least 24 hours old")
    if BASIC not in old.scopes:
        raise GraphError(10, "(#10) Application does not have permission for this action")
    return _lasting(state, old) | {"permissions": ",".join(old.scopes)}


def _lasting(state: InstagramState, old: Token) -> dict[str, Any]:
    token = state.tokens.issue(
        TokenKind.USER,
        old.client_id,
        user_id=old.user_id,
        account_id=old.account_id,
        scopes=old.scopes,
        seconds=LONG_SECONDS,
        long_lived=True,
    )
    return {"access_token": token.value, "token_type": "bearer", "expires_in": LONG_SECONDS}
