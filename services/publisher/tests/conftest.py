"""The publisher on real servers, between small neighbours, with a platform that does as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from contracts.event import Event
from contracts.scheduler import ScheduleCancelledV1, ScheduleCreatedV1, ScheduleDueV1
from contracts.sealing import SealedRevision
from kit.calls import InProcess, Transports
from kit.clock import MovableClock
from kit.database import Database, Scope
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import Bus, MakePassport, Running, ServiceEnvironment
from litestar import Litestar
from platforms.environment import OfferedPlatforms
from platforms.platform import Platform
from publisher.adapters.store import Store
from publisher.main import create_app

from services.publisher.tests.fakes import FakePlatform
from services.publisher.tests.neighbours import Auth, Content, Scheduler

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Plan:
    """A schedule as the publisher hears of it."""

    workspace_id: UUID
    schedule_id: UUID
    revision: SealedRevision
    connection_ids: tuple[UUID, ...]
    due_at: datetime

    def created(self) -> ScheduleCreatedV1:
        return ScheduleCreatedV1(**self._fields())

    def due(self) -> ScheduleDueV1:
        return ScheduleDueV1(**self._fields())

    def cancelled(self, *connection_ids: UUID, reason: str = "cancelled_by_person") -> ScheduleCancelledV1:
        return ScheduleCancelledV1(
            workspace_id=self.workspace_id,
            schedule_id=self.schedule_id,
            connection_ids=connection_ids,
            reason=reason,
        )

    def _fields(self) -> dict[str, Any]:
        return {
            "workspace_id": self.workspace_id,
            "schedule_id": self.schedule_id,
            "occurrence": 1,
            "post_id": self.revision.post_id,
            "revision_id": self.revision.revision_id,
            "connection_ids": self.connection_ids,
            "due_at": self.due_at,
        }


@dataclass
class World:
    """Everything around the publisher, and a publisher in it."""

    bus: Bus
    clock: MovableClock
    content: Content
    auth: Auth
    platform: FakePlatform
    passport: MakePassport
    start: Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]
    environment: dict[str, str]
    workspace_id: UUID

    @asynccontextmanager
    async def units(self) -> AsyncIterator[Store]:
        """The publisher's rows, as its workers see them."""
        url = Secret(self.environment["DATABASE_URL_PUBLISHER"])
        database = Database("publisher", url, self.clock, connections_max=2)
        await database.open()
        try:
            async with database.transaction(Scope.worker()) as transaction:
                yield Store(transaction)
        finally:
            await database.close()

    def plan(self, connections: int = 1, *, ahead: timedelta = timedelta(), **approved: Any) -> Plan:
        """An approved revision with a schedule, not told yet."""
        connection_ids = tuple(self.auth.connect(self.workspace_id) for _ in range(connections))
        return self.plan_for(self.content.approve(self.workspace_id, connection_ids, **approved), ahead=ahead)

    def plan_for(self, revision: SealedRevision, *, ahead: timedelta = timedelta()) -> Plan:
        connection_ids = tuple(variant.connection_id for variant in revision.variants)
        return Plan(self.workspace_id, new_id(), revision, connection_ids, self.clock.now() + ahead)

    async def tell(self, *events: Event) -> None:
        for event in events:
            await self.bus.publish(event)

    async def ask(self, client: httpx.AsyncClient, **query: Any) -> httpx.Response:
        return await client.get(
            f"/api/workspaces/{self.workspace_id}/publications",
            params={name: str(value) for name, value in query.items()},
            headers=self.passport(workspace_id=self.workspace_id, role="viewer"),
        )

    async def seen(self, client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
        response = await self.ask(client, **query)
        assert response.status_code == 200, response.text
        return cast("list[dict[str, Any]]", response.json()["publications"])

    async def wait(
        self, client: httpx.AsyncClient, plan: Plan, *states: str, timeout_seconds: float = 15, **expected: Any
    ) -> list[dict[str, Any]]:
        """The plan's publications once each is in one of the states (and has what else is expected)."""
        last: list[dict[str, Any]] = []

        async def reached() -> bool:
            nonlocal last
            last = await self.seen(client, schedule_id=plan.schedule_id)
            return len(last) == len(plan.connection_ids) and all(
                row["state"] in states and expected.items() <= row.items() for row in last
            )

        try:
            await wait_for(reached, timeout_seconds)
        except AssertionError:
            raise AssertionError(f"waited for {states} {expected}, but: {last}") from None
        return last


def states(publication: dict[str, Any]) -> list[str]:
    return [entry["state"] for entry in publication["history"]]


def seen_once(values: Sequence[Any]) -> bool:
    return len(values) == len(set(values))


@pytest.fixture
def environment(service_environment: ServiceEnvironment) -> dict[str, str]:
    return service_environment("publisher")


@pytest.fixture
def trusted(keys_folder: Path) -> TrustedKeys:
    return TrustedKeys.load(keys_folder / "trusted.jwks.json")


@pytest.fixture
def content(keys_folder: Path, trusted: TrustedKeys, clock: MovableClock) -> Content:
    key = SigningKey.load("content", keys_folder / "content.signing.pem")
    return Content(key, Passports(key, trusted, clock))


@pytest.fixture
def auth(keys_folder: Path, trusted: TrustedKeys, clock: MovableClock) -> Auth:
    key = SigningKey.load("auth", keys_folder / "auth.signing.pem")
    return Auth(trusted, Passports(key, trusted, clock), clock)


@pytest.fixture
def scheduler(keys_folder: Path, trusted: TrustedKeys, clock: MovableClock) -> Scheduler:
    key = SigningKey.load("scheduler", keys_folder / "scheduler.signing.pem")
    return Scheduler(Passports(key, trusted, clock))


@pytest.fixture
def transports(content: Content, auth: Auth, scheduler: Scheduler) -> Transports:
    apps = {"content": content.app(), "auth": auth.app(), "scheduler": scheduler.app()}
    return {name: InProcess(apps, name) for name in apps}


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def create(environment: dict[str, str], transports: Transports, platform: FakePlatform) -> Callable[[], Litestar]:
    offered = OfferedPlatforms(platforms={platform.name: cast("Platform", platform)}, credentials={}, allowed_hosts={})
    return lambda: create_app(environment, transports=transports, offered=offered)


@pytest.fixture
def world(
    bus: Bus,
    clock: MovableClock,
    content: Content,
    auth: Auth,
    platform: FakePlatform,
    passport: MakePassport,
    create: Callable[[], Litestar],
    running: Running,
    environment: dict[str, str],
) -> World:
    return World(
        bus, clock, content, auth, platform, passport, lambda: running(create()), environment, new_id()
    )  # fmt: skip


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.start() as client:
        yield client
