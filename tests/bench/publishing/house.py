"""The system under measurement: every service a process of its own, the sandbox's Facebook in this one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import nats
import psycopg
from contracts.scheduler import ScheduleDueV1
from kit import codec
from kit.identities import inbox_prefix
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from sandbox.consent import give_consent
from sandbox.facebook.platform import FacebookSandbox
from sandbox.facebook.state import Page
from sandbox.facebook.state import Person as Editor
from sandbox.server import Sandbox
from signoff.demo.person import Person
from signoff.split import Split

WORKSPACES = 10
CONNECTIONS_EACH = 10
PLATFORM = "facebook"
PLATFORM_SECONDS = 0.05
"""How long the sandbox takes to answer a post."""

AHEAD = timedelta(seconds=20)
"""How long before its time a burst is waited for: the schedulers have it in memory by then."""

FEED = "POST /v*/feed"


@dataclass(frozen=True)
class Place:
    """A connection and what it hangs on."""

    workspace_id: UUID
    connection_id: UUID
    account_id: UUID
    page_id: str


@dataclass(frozen=True)
class House:
    """A running system with connections to post to."""

    system: Split
    owner: Person
    places: Sequence[Place]

    @property
    def sandbox(self) -> Sandbox:
        assert self.system.sandbox is not None
        return self.system.sandbox

    def now(self) -> datetime:
        return self.system.clock.now()

    def come_near(self, due_at: datetime) -> None:
        """Move every clock to shortly before a time that lies ahead."""
        self.system.clock.advance(max(due_at - AHEAD - self.now(), timedelta()))

    async def stand_still(self, *services: str) -> None:
        """End services that have no part in publishing."""
        for service in services:
            await self.system.kill(service)

    async def announced(self) -> dict[UUID, datetime]:
        """When the server stored that schedules are due, by schedule."""
        user = "retention"  # who erases may read streams
        surroundings = self.system.surroundings
        client = await nats.connect(
            surroundings.addresses.nats_url,
            nkeys_seed=str(surroundings.installation.bus_seed(user)),
            inbox_prefix=inbox_prefix(user),
        )
        try:
            return {event.schedule_id: at async for event, at in self._due(client)}
        finally:
            await client.close()

    async def _due(self, client: Client) -> AsyncIterator[tuple[ScheduleDueV1, datetime]]:
        moved, sequence = self.now() - datetime.now(UTC), 1
        while True:
            try:
                message = await client.jetstream().get_msg(
                    "SCHEDULER", sequence, subject=ScheduleDueV1.filter_subject(), next=True
                )
            except NotFoundError:
                return
            assert message.seq is not None
            assert message.time is not None
            sequence = message.seq + 1
            event = codec.decode(message.headers or {}, message.data or b"")
            assert isinstance(event, ScheduleDueV1)
            yield event, message.time + moved

    async def database(self, service: str) -> psycopg.AsyncConnection[Any]:
        """As who owns the server: no row level security."""
        postgres = self.system.surroundings.addresses.postgres
        assert postgres is not None
        url = urlsplit(postgres.superuser_url)._replace(path=f"/{service}").geturl()
        return await psycopg.AsyncConnection.connect(url, autocommit=True)


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[House]:
    """The system over an empty folder, with its connections made as people make them."""
    async with Split(folder, sandbox=True, environment=dict(os.environ)) as system:
        assert system.sandbox is not None
        system.sandbox.tuning.rate_limits = False
        async with Person("owner", "owner@example.com", system.gateway_url) as owner:
            await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
            await owner.sign_in()
            account = await owner.ask("GET", "/api/account")
            places = []
            for number in range(WORKSPACES):
                places += await _furnish(system, owner, UUID(account["account_id"]), number)
            system.sandbox.add_fault(PLATFORM, FEED, "delay", delay_seconds=PLATFORM_SECONDS, times=10**9)
            yield House(system, owner, places)


async def _furnish(system: Split, owner: Person, account_id: UUID, number: int) -> list[Place]:
    assert system.sandbox is not None
    facebook = system.sandbox.of(FacebookSandbox)
    editor = Editor(f"3{number:014d}", f"Editor {number}")
    facebook.state.people[editor.user_id] = editor
    for page in range(CONNECTIONS_EACH):
        page_id = f"2{number:07d}{page:07d}"
        facebook.state.pages[page_id] = Page(page_id, f"Brand {page_id}", f"brand.{page_id}", editor.user_id)
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": f"Brand {number}", "time_zone": "UTC"})
    path = f"/api/workspaces/{made['workspace_id']}/connections/authorisations"
    started = await owner.ask("POST", path, expect=201, json={"platform": PLATFORM})
    callback = await give_consent(owner.http, started["authorisation_url"], account=editor.user_id)
    offered = await owner.ask("GET", callback.removeprefix(system.gateway_url))
    wish = {"account_ids": [account["account_id"] for account in offered["accounts"]]}
    chosen = await owner.ask("POST", f"{path}/{offered['authorisation_id']}/choices", expect=201, json=wish)
    return [
        Place(
            UUID(made["workspace_id"]),
            UUID(connection["connection_id"]),
            account_id,
            connection["account_id"],
        )
        for connection in chosen["connections"]
    ]
