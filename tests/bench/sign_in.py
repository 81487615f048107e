"""What it costs to know who calls: the check of a session or a key and the passport for it, in processor time.

On real PostgreSQL, with the time of this process alone, in which nothing else works: once through the use case, once
through the HTTP interface of another auth in this process, asked as the gateway asks it. The first requests are left
out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from auth.adapters.peppers import Peppers
from auth.adapters.store import PostgresStore
from auth.main import create_app
from auth.ports.store import Store
from auth.use_cases.api_keys import identify_key
from auth.use_cases.sessions import identify
from kit.clock import SystemClock
from kit.database import Database, Units
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports
from kit.secret import Secret
from kit.server import opened
from litestar import Litestar
from signoff.demo.person import Person
from signoff.split import Split

LIMIT_MS = 1.0
"""The goal for one check with its passport."""

WARM_UP = 200
REQUESTS = 3_000


@dataclass(frozen=True)
class Bench:
    """A member of a workspace with a session and a key, and what checks them."""

    system: Split
    units: Units[Store]
    peppers: Peppers
    passports: Passports
    gateway: Passports
    workspace_id: UUID
    token: Secret
    key: Secret

    async def check_session(self) -> None:
        caller = await identify(self.units, token=self.token, workspace_id=self.workspace_id)
        self.passports.issue(caller)

    async def check_key(self) -> None:
        caller = await identify_key(self.units, key=self.key, workspace_id=self.workspace_id, hashes=self.peppers)
        self.passports.issue(caller)


async def measured(work: Callable[[], Awaitable[object]]) -> float:
    """Processor time of one call in milliseconds, without the first ones."""
    for _ in range(WARM_UP):
        await work()
    began = time.process_time()
    for _ in range(REQUESTS):
        await work()
    return (time.process_time() - began) / REQUESTS * 1000


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[Bench]:
    async with Split(folder) as system:
        installation = system.surroundings.installation
        trusted = TrustedKeys.load(installation.trusted_keys)
        peppers = Peppers(installation.api_key_pepper)
        async with Person("owner", "owner@example.com", system.gateway_url) as owner:
            workspace_id, token, key = await _join(owner, system)
        url = system.surroundings.addresses.database_urls["auth"]
        database = Database("auth", url, SystemClock(), connections_max=2)
        await database.open()

        def passports(service: str) -> Passports:
            return Passports(SigningKey.load(service, installation.signing_key(service)), trusted, SystemClock())

        units: Units[Store] = Units(database, PostgresStore)
        yield Bench(system, units, peppers, passports("auth"), passports("gateway"), workspace_id, token, key)
        await database.close()


async def _join(owner: Person, system: Split) -> tuple[UUID, Secret, Secret]:
    """A workspace, the token of a session in it, and a key to it."""
    await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
    await owner.sign_in()
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Bench", "time_zone": "UTC"})
    wish = {"name": "Bench", "permissions": ["post.read"]}
    path = f"/api/workspaces/{made['workspace_id']}/api-keys"
    key = await owner.ask("POST", path, expect=201, json=wish)
    (token,) = [cookie.value for cookie in owner.http.cookies.jar]
    return UUID(made["workspace_id"]), Secret(str(token)), Secret(key["secret"])


@asynccontextmanager
async def _another_auth(system: Split) -> AsyncIterator[Litestar]:
    app = create_app(system.environment_of("auth"))
    async with opened(app):
        yield app


def _over_http(app: Litestar, bench: Bench, shown: dict[str, str]) -> Callable[[], Awaitable[None]]:
    """Ask for a passport as the gateway does, but without a client: what is measured is auth's side alone."""
    body = json.dumps(shown | {"workspace_id": str(bench.workspace_id)}).encode()
    passport = bench.gateway.issue_own()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/internal/passports",
        "raw_path": b"/internal/passports",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {passport}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "server": ("auth", 80),
        "client": ("127.0.0.1", 0),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    async def ask() -> None:
        await app(dict(scope), receive, send)  # type: ignore[arg-type]

    return ask


async def run(folder: Path) -> list[tuple[str, float]]:
    async with furnished(folder) as bench, _another_auth(bench.system) as app:
        session, key = {"session_token": bench.token.reveal()}, {"api_key": bench.key.reveal()}
        return [
            ("session, use case", await measured(bench.check_session)),
            ("session, over HTTP", await measured(_over_http(app, bench, session))),
            ("key, use case", await measured(bench.check_key)),
            ("key, over HTTP", await measured(_over_http(app, bench, key))),
        ]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        figures = asyncio.run(run(Path(folder) / "data"))
    print(f"check and passport, processor time of {REQUESTS} each")
    for what, took_ms in figures:
        print(f"  {what:32} {took_ms:6.3f} ms   {took_ms / LIMIT_MS:5.2f} of the limit")
    return int(any(took_ms > LIMIT_MS for _, took_ms in figures))


if __name__ == "__main__":
    sys.exit(main())
