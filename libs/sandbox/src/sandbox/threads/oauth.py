"""The imitated authorisation: a code, an hour's token, one of sixty days, its renewal from the second day on."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from litestar import Response

from sandbox.meta.answers import GraphError, answer, invalid, lacking
from sandbox.meta.clients import Client
from sandbox.meta.graph import Ask
from sandbox.meta.tokens import LONG_SECONDS, Token, TokenKind
from sandbox.threads.state import BASIC, ThreadsState

SHORT_SECONDS = 3600
RENEWABLE_AFTER = timedelta(hours=24)


def add_edges(state: ThreadsState) -> None:
    """Edges of tokens, which answer with and without a version."""
    graph = state.graph
    graph.on("POST", "oauth/access_token", lambda ask: _redeem(state, ask), open_to_all=True)
    graph.on("GET", "oauth/access_token", lambda ask: _own_token(state, ask), open_to_all=True)
    graph.on("GET", "access_token", lambda ask: _lengthen(state, ask), open_to_all=True)
    graph.on("GET", "refresh_access_token", lambda ask: _renew(state, ask), open_to_all=True)
    graph.on("GET", "debug_token", lambda ask: _debug(state, ask))


async def _redeem(state: ThreadsState, ask: Ask) -> Any:
    """Errors of this call are in a form of their own."""
    client = _authenticate(state, ask)
    if client is None:
        return _refused("Error validating client secret.")
    if ask.parameters.get("grant_type") != "authorization_code":
        return _refused("Invalid grant_type")
    code = state.dialog.redeem(
        ask.parameters.get("code", ""),
        client_id=client.client_id,
        redirect_uri=ask.parameters.get("redirect_uri", ""),
    )
    if code is None:
        return _refused("Matching code was not found or was already used")
    token = state.tokens.issue(
        TokenKind.USER,
        client.client_id,
        user_id=code.person_id,
        account_id=code.person_id,
        scopes=code.scopes,
        seconds=SHORT_SECONDS,
    )
    return {"access_token": token.value, "user_id": token.user_id if state.ids_as_text else int(token.user_id)}


async def _own_token(state: ThreadsState, ask: Ask) -> Any:
    client = _authenticate(state, ask)
    if client is None or ask.parameters.get("grant_type") != "client_credentials":
        return _refused("Error validating client secret.")
    return {"access_token": f"TH|{client.client_id}|{client.client_secret[:8]}", "token_type": "bearer"}


async def _lengthen(state: ThreadsState, ask: Ask) -> dict[str, Any]:
    if ask.parameters.get("grant_type") != "th_exchange_token":
        raise invalid("Unsupported grant_type")
    short = state.tokens.find(ask.parameters.get("access_token", ""))
    secret = state.clients[short.client_id].client_secret
    if not hmac.compare_digest(ask.parameters.get("client_secret", "").encode(), secret.encode()):
        raise GraphError(1, "Error validating client secret.")
    if short.long_lived:
        raise invalid("The access token is long-lived already")
    return _lasting(state, short)


async def _renew(state: ThreadsState, ask: Ask) -> dict[str, Any]:
    """The old token lives on: nothing says that it dies."""
    if ask.parameters.get("grant_type") != "th_refresh_token":
        raise invalid("Unsupported grant_type")
    old = state.tokens.authenticate(ask.request, ask.parameters)
    if not old.long_lived or state.clock.now() - old.issued_at < RENEWABLE_AFTER:
        raise invalid("The access token must be a long-lived one and at least 24 hours old")
    if BASIC not in old.scopes:
        raise lacking(BASIC)
    return _lasting(state, old)


async def _debug(state: ThreadsState, ask: Ask) -> dict[str, Any]:
    account = state.accounts.get(ask.token.account_id)
    if account is None or not account.tester:
        raise GraphError(10, "(#10) Application does not have permission for this action", status=403)
    token = state.tokens.find(ask.parameters.get("input_token", ""))
    expires_at = int(token.expires_at.timestamp()) if token.expires_at else 0
    told = {
        "type": token.kind.value,
        "application": token.client_id,
        "expires_at": expires_at,
        "data_access_expires_at": expires_at,
        "issued_at": int(token.issued_at.timestamp()),
        "is_valid": True,
        "scopes": token.scopes,
        "user_id": token.user_id,
    }
    return {"data": told}


def _authenticate(state: ThreadsState, ask: Ask) -> Client | None:
    client, secret = state.clients.get(ask.parameters.get("client_id", "")), ask.parameters.get("client_secret", "")
    if client is None or not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
        return None
    return client


def _lasting(state: ThreadsState, old: Token) -> dict[str, Any]:
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


def _refused(message: str) -> Response[bytes]:
    return answer({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)
