"""What the tests of auth do again and again through its HTTP interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from kit.testing.services import MakePassport

PASSWORD = "correct horse battery"


@dataclass
class Auth:
    """A running auth: its HTTP client, and shorthands that insist on success."""

    http: httpx.AsyncClient
    passport: MakePassport

    async def sign_up(self, email: str = "owner@example.com", **changes: Any) -> UUID:
        answer = await self.http.post("/api/accounts", json=sign_up_body(email, **changes))
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["account_id"])

    async def sign_in(self, email: str = "owner@example.com", password: str = PASSWORD) -> str:
        answer = await self.http.post("/api/session", json={"email": email, "password": password})
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


def sign_up_body(email: str = "owner@example.com", **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "time_zone": "Europe/Berlin", "age_attested": True} | changes
