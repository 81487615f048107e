"""A workspace and its people, as the tests of members and invitations use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.problems import TYPE_PREFIX

from services.auth.tests.client import Auth

GUEST = "guest@example.com"


@dataclass
class Team:
    """A workspace and its owner."""

    auth: Auth
    owner: UUID
    workspace_id: UUID

    @property
    def path(self) -> str:
        return f"/api/workspaces/{self.workspace_id}"

    def as_member(self, account_id: UUID, role: str) -> dict[str, str]:
        """What the gateway would send on, as long as a passport lives, whatever has become of the member since."""
        return self.auth.passport(account_id=account_id, workspace_id=self.workspace_id, role=role)

    async def signed_in(self, email: str) -> dict[str, str]:
        """What the gateway sends on for a session of just now."""
        return await self.auth.headers(await self.auth.sign_in(email), self.workspace_id)

    @property
    def headers(self) -> dict[str, str]:
        return self.as_member(self.owner, "owner")

    async def add(self, role: str, name: str | None = None) -> UUID:
        return await self.auth.add_member(self.workspace_id, self.owner, f"{name or role}@example.com", role)

    async def invite(self, email: str = GUEST, role: str = "viewer", expect: int = 201) -> Any:
        body = {"email": email, "role": role}
        return await self.auth.ask("POST", f"{self.path}/invitations", body, self.headers, expect)

    async def invitations(self) -> list[Any]:
        listed = await self.auth.ask("GET", f"{self.path}/invitations", headers=self.headers)
        return list(listed["invitations"])

    async def roles(self) -> dict[str, str]:
        """What everybody is, by the name in their address."""
        members = (await self.auth.ask("GET", f"{self.path}/members", headers=self.headers))["members"]
        return {member["email"].partition("@")[0]: member["role"] for member in members}

    async def give(self, account_id: UUID, role: str, headers: dict[str, str], expect: int = 204) -> Any:
        path = f"{self.path}/members/{account_id}"
        return await self.auth.ask("PATCH", path, {"role": role}, headers, expect)

    async def remove(self, account_id: UUID, headers: dict[str, str], expect: int = 204) -> Any:
        return await self.auth.ask("DELETE", f"{self.path}/members/{account_id}", headers=headers, expect=expect)


def code(answer: Any) -> str:
    """A problem's own word."""
    return str(answer["type"]).removeprefix(TYPE_PREFIX)
