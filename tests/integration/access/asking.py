"""Asks a running system for everything, as everybody, and notes who was let through.

Real gateway, real auth, real guards; only the handlers behind the guards answer at once, so that being let through
changes nothing, whatever the route does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx
import psycopg
from contracts.access import PERSONAL, Permission, Role
from gateway.domain.routes import ROUTES, Access, Route
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Caller, Guard, Passports
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from signoff.demo.person import Person
from signoff.installation import SERVICES
from signoff.one_process import OneProcess

LET_THROUGH = 418
"""What every handler answers; the edge makes nothing of it."""

OPEN_AT_THE_EDGE = {"ATTEMPTS_BURST": "10000", "KEY_REQUESTS_BURST": "100000"}

KEY_PERMISSIONS = sorted(set(Permission) - PERSONAL)
"""What keys can be made with."""


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
class Answers:
    """Everything that was answered. Who asks: a role, a permission that a key has, `nobody`, or a service."""

    own: dict[tuple[Route, str], Answer] = field(default_factory=dict)
    foreign: dict[tuple[Route, str], list[Answer]] = field(default_factory=dict)
    unreached: dict[Route, Answer] = field(default_factory=dict)
    internal: dict[tuple[str, str, str, str], Answer] = field(default_factory=dict)
    internal_at_the_edge: dict[tuple[str, str], int] = field(default_factory=dict)
    others_ids: dict[Route, list[Answer]] = field(default_factory=dict)
    guards: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)


@dataclass
class Place:
    """The system with an owner of one workspace, and another workspace that is somebody else's."""

    system: OneProcess
    http: httpx.AsyncClient
    cookie: dict[str, str]
    own: UUID
    theirs: UUID
    their_post: UUID

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
    return row.path.format_map(values | {"token": "a.b.c"})


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


async def ask_everything(folder: Path) -> Answers:
    answers = Answers()
    async with furnished(folder) as place:
        keys = {permission.value: await place.make_key([permission]) for permission in KEY_PERMISSIONS}
        everything = await place.make_key(KEY_PERMISSIONS)
        await _ask_with_others_ids(place, answers)
        bound = await _bound_key(place)
        _let_nothing_happen(place.system.apps, answers)
        for role in reversed(Role):
            place.change("UPDATE member SET role = %s WHERE workspace_id = %s", role.value, place.own)
            for row in ROUTES:
                answers.own[row, role.value] = await place.ask(row, place.cookie)
        for row in ROUTES:
            answers.own[row, "nobody"] = await place.ask(row, {})
            for permission, key in keys.items():
                answers.own[row, f"key:{permission}"] = await place.ask(row, key)
            if row.access is Access.WORKSPACE:
                await _ask_elsewhere(place, row, everything, answers)
            if "{connection_id}" in row.path:
                answers.unreached[row] = await place.ask(row, bound)
        await _ask_internally(place, answers)
    return answers


async def _bound_key(place: Place) -> dict[str, str]:
    """A key that is bound to one connection."""
    bound = await place.make_key(KEY_PERMISSIONS)
    prefix = bound["Authorization"].removeprefix("Bearer ")[: len("so_12345678")]
    place.change("UPDATE api_key SET connection_ids = %s WHERE prefix = %s", [new_id()], prefix)
    return bound


async def _ask_with_others_ids(place: Place, answers: Answers) -> None:
    """What can be read in one's own workspace, by ids that are nobody's and by one that is of another workspace."""
    for row in ROUTES:
        names = [part.strip("{}") for part in row.path.split("/") if part.startswith("{")]
        if row.method == "GET" and row.access is Access.WORKSPACE and len(names) > 1:
            ids = dict.fromkeys(names[1:], place.their_post)
            answers.others_ids[row] = [await place.ask(row, place.cookie), await place.ask(row, place.cookie, **ids)]


async def _ask_elsewhere(place: Place, row: Route, key: dict[str, str], answers: Answers) -> None:
    for who, headers in (("session", place.cookie), ("key", key)):
        answers.foreign[row, who] = [
            await place.ask(row, headers, place.theirs),
            await place.ask(row, headers, place.theirs, post_id=place.their_post),
            await place.ask(row, headers, new_id()),
        ]


def _let_nothing_happen(apps: dict[str, Litestar], answers: Answers) -> None:
    """Note the guards of every route, and stop each of the public ones right behind them."""

    async def stop(_: object) -> Response[None]:
        return Response(None, status_code=LET_THROUGH)

    for service in SERVICES[:-1]:
        for route in apps[service].routes:
            for handler in getattr(route, "route_handlers", []):
                if isinstance(handler, HTTPRouteHandler) and route.path.startswith(("/api/", "/media/", "/internal/")):
                    for method in handler.http_methods - {"OPTIONS"}:
                        answers.guards[service, method, route.path] = list(handler.guards or ())
                    if not route.path.startswith("/internal/passports"):
                        handler._resolved_before_request = stop


async def _ask_internally(place: Place, answers: Answers) -> None:
    installation = place.system.surroundings.installation
    trusted = TrustedKeys.load(installation.trusted_keys)

    def passports(service: str) -> Passports:
        key = SigningKey.load(service, installation.signing_key(service))
        return Passports(key, trusted, place.system.clock)

    shown = {service: f"Bearer {passports(service).issue_own()}" for service in SERVICES}
    person = Caller(account_id=new_id(), session_id=new_id(), workspace_id=place.own, role=Role.OWNER)
    shown["person"] = f"Bearer {passports('auth').issue(person)}"
    shown["nobody"] = ""
    for service, method, path in list(answers.guards):
        if not path.startswith("/internal/"):
            continue
        place_of = "/".join(str(new_id()) if part.startswith("{") else part for part in path.split("/"))
        async with place.system.client(service) as client:
            for who, authorization in shown.items():
                headers = {"Authorization": authorization} if authorization else {}
                response = await client.request(method, place_of, headers=headers)
                answers.internal[service, method, path, who] = Answer.of(response)
        answers.internal_at_the_edge[method, path] = (await place.http.request(method, place_of)).status_code


def guard_of(found: list[Any]) -> Guard | None:
    """The one guard of a route."""
    assert len(found) <= 1, found
    if not found:
        return None
    assert isinstance(found[0], Guard), found
    return found[0]


def gather(folder: Path) -> Answers:
    return asyncio.run(ask_everything(folder))
