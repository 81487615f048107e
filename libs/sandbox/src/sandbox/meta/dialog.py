"""The page on which a person allows an application what it asks for, and the code it gives for that."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from kit.clock import Clock
from litestar import MediaType, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from sandbox.consent import Choice, page
from sandbox.meta.answers import AnyRequest
from sandbox.meta.clients import Client

CODE_SECONDS = 3600
"""Instagram and Threads name an hour; Facebook names nothing."""


@dataclass(frozen=True)
class Asked:
    """A request that waits for the person."""

    client_id: str
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """What a code stands for; it works once."""

    asked: Asked
    person_id: str
    scopes: tuple[str, ...]
    expires_at: datetime

    @property
    def declined(self) -> tuple[str, ...]:
        return tuple(scope for scope in self.asked.scopes if scope not in self.scopes)


class Dialog:
    """One product's dialog at its path, or at one for each version.

    `suffix` is what the product hangs on the address it sends people back to; `always` are scopes that stay ticked.
    """

    def __init__(
        self,
        *,
        title: str,
        path: str | Sequence[str],
        clients: Mapping[str, Client],
        scopes: Sequence[str],
        choices: Callable[[], Sequence[Choice]],
        clock: Clock,
        suffix: str = "",
        always: Sequence[str] = (),
    ) -> None:
        self._title = title
        self._path = [path] if isinstance(path, str) else list(path)
        self._clients = clients
        self._scopes = scopes
        self._choices = choices
        self._clock = clock
        self._suffix = suffix
        self._always = always
        self._asked: dict[str, Asked] = {}
        self._codes: dict[str, Code] = {}

    def create_handlers(self) -> list[HTTPRouteHandler]:
        @get(self._path, media_type=MediaType.HTML, sync_to_thread=False)
        def show(request: AnyRequest) -> Response[str]:
            return self._show(dict(request.query_params), action=request.url.path)

        @post(self._path, media_type=MediaType.HTML)
        async def decide(request: AnyRequest) -> Redirect | Response[str]:
            form = await request.form()
            ticked = tuple(str(scope) for scope in form.getall("scopes", []))
            return self._decide({name: str(value) for name, value in form.items()}, ticked)

        return [show, decide]

    def redeem(self, code: str, *, client_id: str, redirect_uri: str) -> Code | None:
        """What the code stands for; None if it is used, expired, another application's or for another address."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self._clock.now():
            return None
        return found if (found.asked.client_id, found.asked.redirect_uri) == (client_id, redirect_uri) else None

    def _show(self, query: Mapping[str, str], *, action: str) -> Response[str]:
        client = self._clients.get(query.get("client_id", ""))
        if client is None:
            return _refusal("Invalid app ID", "The provided app ID does not look like a valid app ID.")
        redirect_uri = query.get("redirect_uri", "")
        if not redirect_uri or (client.redirect_uris and redirect_uri not in client.redirect_uris):
            return _refusal("URL blocked", "The redirect URI is not among the application's valid OAuth redirect URIs.")
        if query.get("response_type", "code") != "code":
            return _refusal("Invalid request", "This dialog gives codes only.")
        scopes = tuple(scope for scope in re.split(r"[,\s]+", query.get("scope", "")) if scope)
        unknown = [scope for scope in scopes if scope not in self._scopes]
        if not scopes or unknown:
            return _refusal("Invalid Scopes", ", ".join(unknown) or "No scope was asked for.")
        request_id = secrets.token_urlsafe(16)
        self._asked[request_id] = Asked(client.client_id, redirect_uri, query.get("state", ""), scopes)
        shown = page(
            platform=self._title,
            client=client.client_id,
            request_id=request_id,
            action=action,
            accounts=self._choices(),
            scopes=scopes,
        )
        return Response(shown, media_type=MediaType.HTML)

    def _decide(self, form: Mapping[str, str], ticked: Sequence[str]) -> Redirect | Response[str]:
        asked = self._asked.pop(form.get("request_id", ""), None)
        person_id = form.get("account", "")
        if asked is None or person_id not in {choice.account_id for choice in self._choices()}:
            return _refusal("Not open", "This request is no longer open.")
        told = {"state": asked.state} if asked.state else {}
        if form.get("decision") == "allow":
            scopes = tuple(scope for scope in asked.scopes if scope in ticked or scope in self._always)
            code = "AQ" + secrets.token_urlsafe(120)
            expires_at = self._clock.now() + timedelta(seconds=CODE_SECONDS)
            self._codes[code] = Code(asked, person_id, scopes, expires_at)
            told = {"code": code} | told
        else:
            told = {
                "error": "access_denied",
                "error_code": "200",
                "error_description": "Permissions error",
                "error_reason": "user_denied",
            } | told
        return Redirect(f"{asked.redirect_uri}?{urlencode(told)}{self._suffix}", status_code=302)


def _refusal(title: str, text: str) -> Response[str]:
    return Response(f"<h1>{title}</h1><p>{text}</p>", status_code=400, media_type=MediaType.HTML)
