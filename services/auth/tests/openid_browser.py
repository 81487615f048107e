"""A browser in front of auth whose person goes to an OpenID provider and back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from kit.problems import TYPE_PREFIX

from services.auth.tests.client import Auth
from services.auth.tests.openid_person import Person

PUBLIC_URL = "http://127.0.0.1:8000"
CALLBACK = f"{PUBLIC_URL}/api/openid/callback"
SIGN_IN, LINK = "/api/openid/sign-ins", "/api/account/identities/authorisations"
PROVE = "/api/session/presence/authorisations"
DETAILS = {"time_zone": "Europe/Berlin", "age_attested": True}


@dataclass
class Browser:
    """One browser in front of auth, with the token that the gateway would have given it, and a person."""

    auth: Auth
    person: Person
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str | None = None

    async def headers(self) -> dict[str, str]:
        passport = await self.auth.headers(self.session) if self.session else {}
        return {"X-Signoff-Browser": self.token} | passport

    async def leave(self, path: str = SIGN_IN, **visit: Any) -> dict[str, str]:
        """Set out for the provider and return what the callback is called with."""
        started = await self.auth.http.post(path, json={"provider": "acme"}, headers=await self.headers())
        assert started.status_code == 201, started.text
        return await self.person.visit(started.json()["authorisation_url"], back_at=CALLBACK, **visit)

    async def come_back(self, callback: dict[str, str]) -> httpx.Response:
        answer = await self.auth.http.get("/api/openid/callback", params=callback, headers=await self.headers())
        if answer.is_success and "session_token" in answer.json():
            self.session = answer.json()["session_token"]
        return answer

    async def arrive(self, path: str = SIGN_IN) -> dict[str, Any]:
        answer = await self.come_back(await self.leave(path))
        assert answer.status_code == 200, answer.text
        arrived: dict[str, Any] = answer.json()
        return arrived

    async def complete(self, **changes: Any) -> httpx.Response:
        answer = await self.auth.http.post(
            "/api/openid/accounts", json=DETAILS | changes, headers={"X-Signoff-Browser": self.token}
        )
        if answer.is_success:
            self.session = answer.json().get("session_token")
        return answer

    async def sign_up(self) -> UUID:
        assert (await self.arrive())["state"] == "attestation_needed"
        answer = await self.complete()
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["account_id"])

    async def ask(self, method: str, path: str) -> httpx.Response:
        return await self.auth.http.request(method, path, headers=await self.headers())


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)
