"""Asks a running system for everything, as everybody, and notes who was let through.

Real gateway, real auth, real guards; only the handlers behind the guards answer at once, so that being let through
changes nothing, whatever the route does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.access import PERSONAL, Permission, Role
from gateway.domain.routes import ROUTES, Access, Route
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Caller, Guard, Passports
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from signoff.installation import SERVICES

from tests.integration.access.place import LET_THROUGH, Answer, Place, furnished
from tests.integration.access.replacing import Replacing, replace_keys

_EVERY_PROCESS = ("/health/", "/openapi")
"""What is for probes and developers."""

KEY_PERMISSIONS = sorted(set(Permission) - PERSONAL)
"""What keys can be made with."""


@dataclass
class Answers:
    """Everything that was answered. Who asks: a role, a permission that a key has, `nobody`, or a service."""

    own: dict[tuple[Route, str], Answer] = field(default_factory=dict)
    foreign: dict[tuple[Route, str], list[Answer]] = field(default_factory=dict)
    unreached: dict[Route, Answer] = field(default_factory=dict)
    internal: dict[tuple[str, str, str, str], Answer] = field(default_factory=dict)
    internal_at_the_edge: dict[tuple[str, str], int] = field(default_factory=dict)
    others_ids: dict[Route, list[Answer]] = field(default_factory=dict)
    replacing: Replacing = field(default_factory=Replacing)
    guards: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)


async def ask_everything(folder: Path) -> Answers:
    answers = Answers()
    async with furnished(folder) as place:
        keys = {permission.value: await place.make_key([permission]) for permission in KEY_PERMISSIONS}
        everything = await place.make_key(KEY_PERMISSIONS)
        await _ask_with_others_ids(place, answers)
        answers.replacing = await replace_keys(place, everything)
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
                if isinstance(handler, HTTPRouteHandler) and not route.path.startswith(_EVERY_PROCESS):
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
