"""A running system with somebody in it, and how it is asked in their name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx
import psycopg
from contracts.access import Permission, Role
from gateway.domain.routes import Route
from kit.ids import new_id
from signoff.demo.person import Person
from signoff.one_process import OneProcess

LET_THROUGH = 418
"""What every handler answers; the edge makes nothing of it."""

OPEN_AT_THE_EDGE = {"ATTEMPTS_BURST": "10000", "KEY_REQUESTS_BURST": "100000"}


@dataclass(frozen=True)
class Answer:
    """Who was refused and why: `through`, or the problem's code with the permission that it names."""

    verdict: str
    status: int
    body: bytes

    @classmethod
    def of(cls, response: httpx.Response) -> Answer:
        if response.status_code == LET_THROUGH:
            return cls("through", LET_THROUGH, b"")
        document = response.json() if "json" in response.headers.get("content-type", "") else {}
        verdict = str(document.get("type", response.status_code)).removeprefix("urn:signoff:problem:")
        needs = document.get("needs")
        # What differs between two answers to the same question.
        for name in ("trace_id", "until"):
            document.pop(name, None)
        return cls(f"{verdict}:{needs}" if needs else verdict, response.status_code, str(document).encode())


@dataclass
class Place:
    """The system with an owner of one workspace, and another workspace that is somebody else's."""

    system: OneProcess
    http: httpx.AsyncClient
    cookie: dict[str, str]
    own: UUID
    theirs: UUID
    their_post: UUID
    role: Role = Role.OWNER

    async def ask(self, row: Route, headers: dict[str, str], workspace: UUID | None = None, **ids: UUID) -> Answer:
        path = path_of(row, workspace or self.own, **ids)
        if row.method not in ("GET", "HEAD"):
            headers = headers | {"Content-Type": "application/json"}
        return Answer.of(await self.http.request(row.method, path, headers=headers))

    def change(self, statement: LiteralString, *parameters: object) -> None:
        """Change what auth has stored."""
        postgres = self.system.surroundings.addresses.postgres
        assert postgres is not None
        with psycopg.connect(urlunsplit(urlsplit(postgres.superuser_url)._replace(path="/auth"))) as connection:
            connection.execute(statement, parameters)

    async def make_key(self, permissions: Iterable[Permission], **changes: Any) -> dict[str, str]:
        wish = {"name": "Sweep", "permissions": list(permissions)} | changes
        made = await self.http.post(f"/api/workspaces/{self.own}/api-keys", json=wish, headers=self.cookie)
        assert made.status_code == 201, made.text
        return {"Authorization": f"Bearer {made.json()['secret']}"}


def path_of(row: Route, workspace: UUID, **ids: UUID) -> str:
    names = [part.strip("{}") for part in row.path.split("/") if part.startswith("{")]
    values: dict[str, object] = {name: ids.get(name, new_id()) for name in names}
    values |= {"workspace_id": workspace} if "workspace_id" in names else {}
    return row.path.format_map(values | {"token": "a.b.c", "platform": "facebook", "code": new_id().hex})


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[Place]:
    async with OneProcess(folder, environment=OPEN_AT_THE_EDGE) as system:
        own, theirs = [Person(who, f"{who}@example.com", system.gateway_url) for who in ("owner", "other")]
        rooms = []
        for person in (own, theirs):
            await person.sign_up(system.surroundings.installation.mail, time_zone="UTC")
            await person.sign_in()
            body = {"name": person.who, "time_zone": "UTC"}
            rooms.append(UUID((await person.ask("POST", "/api/workspaces", expect=201, json=body))["workspace_id"]))
        draft = {"title": "Theirs", "variants": []}
        post = await theirs.ask("POST", f"/api/workspaces/{rooms[1]}/posts", expect=201, json=draft)
        cookie = {"Cookie": "; ".join(f"{each.name}={each.value}" for each in own.http.cookies.jar)}
        async with system.client("gateway") as http:
            yield Place(system, http, cookie, rooms[0], rooms[1], UUID(post["post_id"]))
        for person in (own, theirs):
            await person.http.aclose()
