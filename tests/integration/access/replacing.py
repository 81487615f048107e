"""Replaces every service's keys while people and programs go on asking."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from joserfc import jws
from kit import key_files
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Caller, Passports
from kit.testing import wait_for
from signoff.installation import SERVICES

from tests.integration.access.place import Place

REQUESTS_BETWEEN = 20
"""Of people and programs, after each step."""


@dataclass
class Replacing:
    """Every answer that was given meanwhile, and those to an old key's passport before and after it was removed."""

    statuses: list[int] = field(default_factory=list)
    old_passport: list[int] = field(default_factory=list)
    kids: list[str] = field(default_factory=list)


async def replace_keys(place: Place, key: dict[str, str]) -> Replacing:
    seen = Replacing()
    path = f"/api/workspaces/{place.own}/posts"

    async def go_on() -> None:
        while True:
            for headers in (place.cookie, key):
                seen.statuses.append((await place.http.get(path, headers=headers)).status_code)

    async def more() -> None:
        wanted = len(seen.statuses) + REQUESTS_BETWEEN
        await wait_for(lambda: len(seen.statuses) >= wanted, 60)

    folder, old = place.system.surroundings.installation.keys, _passport(place)
    asking = asyncio.ensure_future(go_on())
    seen.kids.append(await _kid(place, key))
    for service in SERVICES:
        key_files.announce(folder, service)
    await more()
    for service in SERVICES:
        key_files.switch(folder, service, now=place.system.clock.now())
    await wait_for(lambda: _signs_anew(place, key, seen.kids[0]), 30)
    seen.kids.append(await _kid(place, key))
    await more()
    seen.old_passport.append(await _status(place, path, old))
    for service in SERVICES:
        key_files.finish(folder, service, now=place.system.clock.now())
    key_files.distrust(folder, seen.kids[0])
    await wait_for(lambda: _is_refused(place, path, old), 30)
    seen.old_passport.append(await _status(place, path, old))
    await more()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    return seen


def _passport(place: Place) -> str:
    """What auth would give to a member now."""
    installation = place.system.surroundings.installation
    key = SigningKey.load("auth", installation.signing_key("auth"))
    passports = Passports(key, TrustedKeys.load(installation.trusted_keys), place.system.clock)
    return passports.issue(Caller(new_id(), new_id(), place.own, place.role))


async def _status(place: Place, path: str, passport: str) -> int:
    async with place.system.client("content") as http:
        return (await http.get(path, headers={"Authorization": f"Bearer {passport}"})).status_code


async def _is_refused(place: Place, path: str, passport: str) -> bool:
    return await _status(place, path, passport) == 401


async def _kid(place: Place, key: dict[str, str]) -> str:
    """Which key auth signs with now."""
    installation = place.system.surroundings.installation
    gateway = SigningKey.load("gateway", installation.signing_key("gateway"))
    own = Passports(gateway, TrustedKeys.load(installation.trusted_keys), place.system.clock).issue_own()
    async with place.system.client("auth") as http:
        shown = {"api_key": key["Authorization"].removeprefix("Bearer ")}
        answer = await http.post("/internal/passports", json=shown, headers={"Authorization": f"Bearer {own}"})
    return str(jws.extract_compact(answer.json()["passport"].encode()).headers()["kid"])


async def _signs_anew(place: Place, key: dict[str, str], old: str) -> bool:
    return await _kid(place, key) != old
