"""A person at a web client: real HTTP to the gateway, one cookie, and the headers that a browser sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from signoff.mail_folder import token_of

Value = TypeVar("Value")

ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.1


class Unexpected(Exception):
    """The story cannot go on: the system answered something else. One line."""


class Person:
    """One browser. `email` and `password` are only as secret as a demo's are."""

    def __init__(self, who: str, email: str, gateway_url: str) -> None:
        self.who = who
        self.email = email
        self.password = "seven hills before breakfast"  # noqa: S105  # nobody keeps anything behind it
        self._http = httpx.AsyncClient(
            base_url=gateway_url,
            timeout=ANSWER_SECONDS,
            trust_env=False,
            headers={"Origin": gateway_url, "Sec-Fetch-Site": "same-origin"},
        )

    @property
    def http(self) -> httpx.AsyncClient:
        return self._http

    async def ask(self, method: str, path: str, *, expect: int = 200, **request: Any) -> Any:
        """The answer's JSON. Raises `Unexpected` if its status is another one."""
        answer = await self._http.request(method, path, **request)
        if answer.status_code != expect:
            raise Unexpected(f"{method} {path} answered {answer.status_code}, not {expect}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    async def find(self, path: str) -> Any | None:
        """What is there, or None where nothing is yet: a service may be told of it a moment later."""
        answer = await self._http.get(path)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise Unexpected(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    async def status(self, method: str, path: str, **request: Any) -> int:
        """The answer's status alone."""
        return (await self._http.request(method, path, **request)).status_code

    async def sign_up(self, mail: Path, **details: Any) -> None:
        """Sign up, and follow the link in the letter that comes. `mail` is the folder that letters arrive in."""
        account = {"email": self.email, "password": self.password, "age_attested": True} | details
        await self.ask("POST", "/api/accounts", expect=202, json=account)

        async def token() -> str | None:
            return token_of(mail, "verify_address", self.email)

        verification = {"token": await eventually(token, what="the letter that verifies the address")}
        await self.ask("POST", "/api/accounts/verifications", json=verification)

    async def accept_invitation(self, mail: Path) -> None:
        """Follow the link in the letter that invites."""

        async def token() -> str | None:
            return token_of(mail, "invitation", self.email)

        acceptance = {"token": await eventually(token, what="the letter that invites")}
        await self.ask("POST", "/api/invitations/acceptances", expect=201, json=acceptance)

    async def sign_in(self) -> Any:
        """The answer; the session itself is in the cookie."""
        credentials = {"email": self.email, "password": self.password}
        return await self.ask("POST", "/api/session", expect=201, json=credentials)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()


async def eventually(
    look: Callable[[], Awaitable[Value | None]], *, what: str, seconds: float = ANSWER_SECONDS
) -> Value:
    """What `look` finds once it finds something; raises `Unexpected` if that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise Unexpected(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(PAUSE_SECONDS)


async def emptied(look: Callable[[], Awaitable[Value]], *, seconds: float = 10.0) -> Value:
    """What is left once loops that look every second have had their turns: nothing, at best."""
    deadline = time.monotonic() + seconds
    while True:
        left = await look()
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(PAUSE_SECONDS)
