"""The imitated Facebook Login: codes and tokens, what a person granted, their Pages, and the end of it all."""

from __future__ import annotations

import hmac
from typing import Any

from sandbox.facebook.state import NAME, FacebookState, Page
from sandbox.meta.answers import GraphError, absent, lacking
from sandbox.meta.clients import Client
from sandbox.meta.fields import parse_fields, select
from sandbox.meta.graph import Ask
from sandbox.meta.paging import paged
from sandbox.meta.tokens import LONG_SECONDS, SHORT_SECONDS, Token, TokenKind

PAGE_FIELDS = "id,name,access_token,category,tasks"


def add_edges(state: FacebookState) -> None:
    """Edges of tokens, permissions and Pages."""
    graph = state.graph
    graph.on("GET", "oauth/access_token", lambda ask: _access_token(state, ask), open_to_all=True)
    graph.on("POST", "oauth/access_token", lambda ask: _access_token(state, ask), open_to_all=True)
    graph.on("GET", "debug_token", lambda ask: _debug_token(state, ask))
    graph.on("GET", "{node}/permissions", lambda ask: _permissions(state, ask))
    graph.on("DELETE", "{node}/permissions", lambda ask: _revoke(state, ask))
    graph.on("GET", "{node}/accounts", lambda ask: _accounts(state, ask))
    graph.on("GET", "{node}/businesses", lambda ask: _businesses(state, ask))
    graph.on("GET", "{node}/owned_pages", lambda ask: _business_pages(state, ask))
    graph.on("GET", "{node}/client_pages", lambda ask: _business_pages(state, ask, owned=False))


async def _access_token(state: FacebookState, ask: Ask) -> dict[str, Any]:
    client = _authenticate(state, ask)
    if ask.parameters.get("grant_type") == "fb_exchange_token":
        return _told(_lengthened(state, client, ask.parameters.get("fb_exchange_token", "")))
    code = state.dialog.redeem(
        ask.parameters.get("code", ""),
        client_id=client.client_id,
        redirect_uri=ask.parameters.get("redirect_uri", ""),
    )
    if code is None:
        message = "This authorization code has been used, has expired, or was issued for another redirect_uri."
        raise GraphError(100, message, subcode=36009)
    person = state.people[code.person_id]
    granted = person.granted.setdefault(client.client_id, [])
    granted += [scope for scope in code.scopes if scope not in granted]
    person.declined[client.client_id] = [scope for scope in code.declined if scope not in granted]
    token = state.tokens.issue(
        TokenKind.USER,
        client.client_id,
        user_id=person.user_id,
        account_id=person.user_id,
        scopes=granted,
        seconds=SHORT_SECONDS,
    )
    return _told(token)


def _authenticate(state: FacebookState, ask: Ask) -> Client:
    client = state.clients.get(ask.parameters.get("client_id", ""))
    if client is None:
        raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
    secret = ask.parameters.get("client_secret", "")
    if not hmac.compare_digest(secret.encode(), client.client_secret.encode()):
        raise GraphError(1, "Error validating client secret.")
    return client


def _lengthened(state: FacebookState, client: Client, value: str) -> Token:
    short = state.tokens.find(value)
    if short.client_id != client.client_id or short.kind is not TokenKind.USER:
        raise GraphError(190, "The access token does not belong to this application", status=401)
    return state.tokens.issue(
        TokenKind.USER,
        client.client_id,
        user_id=short.user_id,
        account_id=short.account_id,
        scopes=short.scopes,
        seconds=LONG_SECONDS,
        long_lived=True,
    )


def _told(token: Token) -> dict[str, Any]:
    assert token.expires_at is not None
    seconds = int((token.expires_at - token.issued_at).total_seconds())
    return {"access_token": token.value, "token_type": "bearer", "expires_in": seconds}


async def _debug_token(state: FacebookState, ask: Ask) -> dict[str, Any]:
    if ask.token.kind is not TokenKind.APP:
        raise GraphError(100, "(#100) You must provide an app access token")
    try:
        token = state.tokens.find(ask.parameters.get("input_token", ""))
    except GraphError as error:
        return {"data": {"is_valid": False, "error": error.error, "scopes": []}}
    return {
        "data": {
            "app_id": token.client_id,
            "type": token.kind.value,
            "expires_at": int(token.expires_at.timestamp()) if token.expires_at else 0,
            "is_valid": True,
            "issued_at": int(token.issued_at.timestamp()),
            "scopes": token.scopes,
            "user_id": token.user_id,
        }
    }


async def _permissions(state: FacebookState, ask: Ask) -> dict[str, Any]:
    person = state.people.get(ask.node)
    if person is None or ask.token.user_id != person.user_id:
        raise absent(ask.node)
    granted = [{"permission": scope, "status": "granted"} for scope in person.granted.get(ask.token.client_id, [])]
    declined = [{"permission": scope, "status": "declined"} for scope in person.declined.get(ask.token.client_id, [])]
    return {"data": granted + declined}


async def _revoke(state: FacebookState, ask: Ask) -> dict[str, Any]:
    """With the person's token or the application's own; all the tokens of the person die, their Pages' too."""
    person = state.people.get(ask.node)
    own = ask.token.kind is TokenKind.APP or ask.token.user_id == ask.node
    if person is None or not own or ask.token.kind is TokenKind.PAGE:
        raise absent(ask.node, "delete")
    if not person.granted.pop(ask.token.client_id, None):
        raise GraphError(100, "(#100) The user has not authorized the application", subcode=33)
    state.tokens.end(person.user_id, client_id=ask.token.client_id)
    state.truth.revoked(NAME, account_id=person.user_id, client_id=ask.token.client_id)
    return {"success": True}


async def _accounts(state: FacebookState, ask: Ask) -> dict[str, Any]:
    person = _person(state, ask)
    ask.need("pages_show_list")
    pages = [page for page in state.pages.values() if page.user_id == person and page.business_id is None]
    return _listed(state, ask, pages)


async def _businesses(state: FacebookState, ask: Ask) -> dict[str, Any]:
    person = _person(state, ask)
    ask.need("business_management")
    ids = {page.business_id for page in state.pages.values() if page.user_id == person and page.business_id}
    return {"data": [{"id": business, "name": "A business"} for business in sorted(ids)]}


async def _business_pages(state: FacebookState, ask: Ask, *, owned: bool = True) -> dict[str, Any]:
    ask.need("business_management")
    pages = [
        page for page in state.pages.values() if page.business_id == ask.node and page.user_id == ask.token.user_id
    ]
    return _listed(state, ask, pages if owned else [])


def _person(state: FacebookState, ask: Ask) -> str:
    if ask.token.kind is not TokenKind.USER or ask.node != ask.token.user_id:
        raise absent(ask.node)
    return state.people[ask.node].user_id


def _listed(state: FacebookState, ask: Ask, pages: list[Page]) -> dict[str, Any]:
    wanted = parse_fields(ask.parameters.get("fields", PAGE_FIELDS))
    documents = []
    for page in pages:
        known = page_document(state, page)
        if "access_token" in wanted:
            known["access_token"] = _page_token(state, ask.token, page)
        documents.append(select(known, wanted, node="Page"))
    return paged(
        documents, ask.parameters, address=str(ask.request.url.with_replacements(query="")), token=ask.token.value
    )


def _page_token(state: FacebookState, token: Token, page: Page) -> str:
    """A Page's token lives as long as the person's grant if theirs is long-lived, else as long as theirs."""
    if "pages_show_list" not in token.scopes:
        raise lacking("pages_show_list")
    left = None
    if not token.long_lived and token.expires_at is not None:
        left = (token.expires_at - state.clock.now()).total_seconds()
    return state.tokens.issue(
        TokenKind.PAGE,
        token.client_id,
        user_id=token.user_id,
        account_id=page.page_id,
        scopes=token.scopes,
        seconds=left,
        long_lived=token.long_lived,
    ).value


def page_document(state: FacebookState, page: Page) -> dict[str, Any]:
    """A Page as its own fields tell it."""
    return {
        "id": page.page_id,
        "name": page.name,
        "username": page.username,
        "category": page.category,
        "tasks": list(page.tasks),
        "access_token": None,
        "link": f"{state.base_url}/{page.username}",
        "about": None,
        "fan_count": 0,
        "followers_count": 0,
        "picture": {"data": {"url": f"{state.base_url}/picture/{page.page_id}.jpg", "is_silhouette": False}},
    }
