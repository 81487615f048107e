"""What the tests of auth do again and again through its HTTP interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import psycopg
from contracts.leases import LeaseAnswer
from kit.testing.services import MakePassport
from litestar.types import ASGIApp
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

from services.auth.tests.mailbox import Mailbox

PASSWORD = "correct horse battery"


class Superuser(psycopg.Connection[Any]):
    """auth's database as its superuser sees it: every row, whatever the policies say. `keys`: the keys' database."""

    keys: psycopg.Connection[Any]


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@dataclass(frozen=True)
class Place:
    """From where a browser calls."""

    address: str
    user_agent: str = FIREFOX

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": self.address, "User-Agent": self.user_agent}


HOME = Place("203.0.113.7")
ELSEWHERE = Place("198.51.100.9")


@dataclass
class Auth:
    """A running auth: its HTTP client, and shorthands that insist on success."""

    http: httpx.AsyncClient
    passport: MakePassport
    mailbox: Mailbox
    app: ASGIApp

    async def sign_up(self, email: str = "owner@example.com", **changes: Any) -> UUID:
        """An account whose address is verified."""
        await self.ask("POST", "/api/accounts", sign_up_body(email, **changes), expect=202)
        token = await self.mailbox.token("verify_address", email.strip().lower())
        answer = await self.ask("POST", "/api/accounts/verifications", {"token": token})
        return UUID(answer["account_id"])

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, expect: int = 200
    ) -> Any:
        """The answer's document; `expect` is its status."""
        answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def try_sign_in(
        self, email: str = "owner@example.com", password: str = PASSWORD, *, place: Place | None = None
    ) -> httpx.Response:
        headers = self.through_gateway(place) if place else {}
        return await self.http.post("/api/session", json={"email": email, "password": password}, headers=headers)

    def through_gateway(self, place: Place) -> dict[str, str]:
        """What the gateway sends on where nobody is signed in."""
        return self.passport(service="gateway") | place.headers

    async def sign_in(
        self, email: str = "owner@example.com", password: str = PASSWORD, *, place: Place | None = None
    ) -> str:
        answer = await self.try_sign_in(email, password, place=place)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["session_token"])

    async def ask_passport(self, token: str, workspace_id: UUID | None = None) -> httpx.Response:
        body = {"session_token": token} | ({"workspace_id": str(workspace_id)} if workspace_id else {})
        return await self.http.post("/internal/passports", json=body, headers=self.passport(service="gateway"))

    async def headers(self, token: str, workspace_id: UUID | None = None) -> dict[str, str]:
        """What the gateway would send on for this session."""
        answer = await self.ask_passport(token, workspace_id)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['passport']}"}

    async def create_workspace(self, account_id: UUID, name: str = "Acorn") -> UUID:
        body = {"name": name, "time_zone": "Europe/Berlin"}
        answer = await self.http.post("/api/workspaces", json=body, headers=self.passport(account_id=account_id))
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["workspace_id"])

    async def invite(self, workspace_id: UUID, by: UUID, email: str, role: str = "viewer") -> str:
        """The token in the letter that comes to the address. `by` owns the workspace."""
        headers = self.passport(account_id=by, workspace_id=workspace_id)
        path = f"/api/workspaces/{workspace_id}/invitations"
        await self.ask("POST", path, {"email": email, "role": role}, headers, 201)
        return await self.mailbox.token("invitation", email)

    async def accept(self, account_id: UUID, token: str) -> httpx.Response:
        headers = self.passport(account_id=account_id)
        return await self.http.post("/api/invitations/acceptances", json={"token": token}, headers=headers)

    async def add_member(self, workspace_id: UUID, by: UUID, email: str, role: str) -> UUID:
        """A new person who was invited and has signed up."""
        token = await self.invite(workspace_id, by, email, role)
        await self.ask("POST", "/api/accounts", sign_up_body(email, invitation=token), expect=202)
        shown = await self.ask("GET", "/api/account", headers=await self.headers(await self.sign_in(email)))
        return UUID(shown["account_id"])


@dataclass
class Room:
    """A workspace with its owner, and the sandbox that its connections lead to."""

    auth: Auth
    sandbox: Sandbox
    account_id: UUID
    workspace_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return self.auth.passport(account_id=self.account_id, workspace_id=self.workspace_id)

    @property
    def path(self) -> str:
        return f"/api/workspaces/{self.workspace_id}/connections"

    async def leave(self, platform: str = "tiktok", **consent: Any) -> dict[str, str]:
        """Start an authorisation and decide on the platform's page; returns what the callback is called with."""
        handle = {"handle": "brand.test"} if platform == "bluesky" else {}
        started = await self.auth.http.post(
            f"{self.path}/authorisations", json={"platform": platform} | handle, headers=self.headers
        )
        assert started.status_code == 201, started.text
        async with httpx.AsyncClient() as browser:
            return callback_parameters(await give_consent(browser, started.json()["authorisation_url"], **consent))

    async def come_back(self, callback: dict[str, str], account_id: UUID | None = None) -> httpx.Response:
        headers = self.auth.passport(account_id=account_id or self.account_id)
        return await self.auth.http.get("/api/oauth/callback", params=callback, headers=headers)

    async def choose(self, authorisation_id: str, *account_ids: str) -> httpx.Response:
        address = f"{self.path}/authorisations/{authorisation_id}/choices"
        return await self.auth.http.post(address, json={"account_ids": list(account_ids)}, headers=self.headers)

    async def connect(self, platform: str = "tiktok", *, choice: int = 0, **consent: Any) -> UUID:
        """The connection of what was authorised, or of one of the accounts it opens."""
        answer = await self.come_back(await self.leave(platform, **consent))
        assert answer.status_code == 200, answer.text
        told = answer.json()
        if told["state"] == "choice_needed":
            chosen = await self.choose(told["authorisation_id"], told["accounts"][choice]["account_id"])
            assert chosen.status_code == 201, chosen.text
            (told,) = chosen.json()["connections"]
        return UUID(told["connection_id"])

    async def list(self) -> list[dict[str, Any]]:
        answer = await self.auth.http.get(self.path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        connections: list[dict[str, Any]] = answer.json()["connections"]
        return connections

    async def disconnect(self, connection_id: UUID) -> httpx.Response:
        return await self.auth.http.delete(f"{self.path}/{connection_id}", headers=self.headers)

    async def borrow(self, *connection_ids: UUID, service: str = "publisher") -> LeaseAnswer:
        body = {"connection_ids": [str(each) for each in connection_ids]}
        answer = await self.auth.http.post("/internal/leases", json=body, headers=self.auth.passport(service=service))
        assert answer.status_code == 200, answer.text
        return LeaseAnswer.model_validate(answer.json())

    async def give_back(self, answer: LeaseAnswer, service: str = "publisher") -> None:
        body = {"lease_ids": [str(lease.lease_id) for lease in answer.leases]}
        returned = await self.auth.http.post(
            "/internal/leases/returns", json=body, headers=self.auth.passport(service=service)
        )
        assert returned.status_code == 204, returned.text


def sign_up_body(email: str = "owner@example.com", **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "time_zone": "Europe/Berlin", "age_attested": True} | changes
