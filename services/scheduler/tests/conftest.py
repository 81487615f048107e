"""The scheduler on real servers, beside a small content that seals what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from contracts.sealing import Seal, SealedRevision, SealedVariant
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports, service
from kit.problems import EXCEPTION_HANDLERS, NotFound
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import MakePassport, Running, ServiceEnvironment
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.params import FromPath
from scheduler.adapters.store import Store
from scheduler.main import create_app

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Content:
    """The neighbour: revisions by id."""

    passports: Passports
    revisions: dict[UUID, SealedRevision] = field(default_factory=dict)

    def approve(self, workspace_id: UUID, connections: int = 1, *, sealed: bool = True) -> SealedRevision:
        variants = [SealedVariant(connection_id=new_id(), platform="bluesky", text="Hello") for _ in range(connections)]
        revision = SealedRevision(
            workspace_id=workspace_id, post_id=new_id(), revision_id=new_id(), variants=tuple(variants)
        )
        seal = Seal(
            content_hash=revision.content_hash(), approved_by=(), approved_at=datetime.now(UTC), signature="c2ln"
        )
        revision = revision.model_copy(update={"seal": seal if sealed else None})
        self.revisions[revision.revision_id] = revision
        return revision

    def copy(self, revision: SealedRevision, **variant: Any) -> SealedRevision:
        """Another post that says the same at the same connections, but for what is given."""
        variants = tuple(each.model_copy(update=variant) for each in revision.variants)
        ids = {"post_id": new_id(), "revision_id": new_id()}
        copied = revision.model_copy(update=ids | {"variants": variants})
        self.revisions[copied.revision_id] = copied
        return copied

    def app(self) -> Litestar:
        @get("/internal/workspaces/{workspace_id:uuid}/revisions/{revision_id:uuid}", guards=[service("scheduler")])
        async def revision(workspace_id: FromPath[UUID], revision_id: FromPath[UUID]) -> dict[str, Any]:
            found = self.revisions.get(revision_id)
            if found is None or found.workspace_id != workspace_id:
                raise NotFound()
            return found.model_dump(mode="json")

        return Litestar(
            [revision], exception_handlers=EXCEPTION_HANDLERS, state=State({"passports": self.passports}),
            openapi_config=None,
        )  # fmt: skip


@dataclass
class Auth:
    """The neighbour: how connections stand."""

    passports: Passports
    connections: list[dict[str, Any]] = field(default_factory=list)

    def stands(self, connection_id: UUID, state: str = "active", **facts: Any) -> None:
        blank = dict.fromkeys(("ends_at", "failing_since", "expires_at", "platform_ends_on"))
        self.connections.append(
            {"connection_id": str(connection_id), "platform": "bluesky", "state": state} | blank | facts
        )

    def app(self) -> Litestar:
        @get("/internal/workspaces/{workspace_id:uuid}/connections", guards=[service("scheduler")])
        async def connections(workspace_id: FromPath[UUID]) -> dict[str, Any]:
            return {"connections": self.connections}

        return Litestar(
            [connections], exception_handlers=EXCEPTION_HANDLERS, state=State({"passports": self.passports}),
            openapi_config=None,
        )  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A person in a workspace, at the scheduler's door."""

    client: httpx.AsyncClient
    workspace_id: UUID
    passport: MakePassport
    account_id: UUID | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Made anew each time: a passport lives for a minute of a clock that tests move."""
        return self.passport(account_id=self.account_id, workspace_id=self.workspace_id, role="editor")

    @property
    def path(self) -> str:
        return f"/api/workspaces/{self.workspace_id}/schedules"

    async def schedule(self, revision: SealedRevision, **fields: Any) -> httpx.Response:
        return await self.client.post(self.path, json=body(revision) | fields, headers=self.headers)

    async def scheduled(self, revision: SealedRevision, **fields: Any) -> dict[str, Any]:
        response = await self.schedule(revision, **fields)
        assert response.status_code == 201, response.text
        document: dict[str, Any] = response.json()
        return document

    @property
    def series_path(self) -> str:
        return f"/api/workspaces/{self.workspace_id}/series"

    async def repeat(self, revision: SealedRevision, **fields: Any) -> httpx.Response:
        return await self.client.post(self.series_path, json=body(revision) | fields, headers=self.headers)

    async def repeated(self, revision: SealedRevision, **fields: Any) -> dict[str, Any]:
        response = await self.repeat(revision, **fields)
        assert response.status_code == 201, response.text
        document: dict[str, Any] = response.json()
        return document

    async def calendar(self, series_id: str) -> dict[str, Any]:
        """A series with its schedules that are not at an end."""
        response = await self.client.get(f"{self.series_path}/{series_id}", headers=self.headers)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def ask_series(self, series_id: str, verb: str, **fields: Any) -> httpx.Response:
        return await self.client.post(
            f"{self.series_path}/{series_id}/{verb}", json=fields or None, headers=self.headers
        )

    async def ask(self, method: str, path: str, **fields: Any) -> httpx.Response:
        """Anything else in the workspace."""
        address = f"/api/workspaces/{self.workspace_id}/{path}"
        return await self.client.request(method, address, json=fields or None, headers=self.headers)

    async def see(self, schedule_id: str) -> dict[str, Any]:
        response = await self.client.get(f"{self.path}/{schedule_id}", headers=self.headers)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def move(self, schedule_id: str, **fields: Any) -> httpx.Response:
        return await self.client.patch(f"{self.path}/{schedule_id}", json=fields, headers=self.headers)

    async def tell(self, verb: str, schedule_id: str | None = None) -> httpx.Response:
        """`pause` or `resume` one schedule, or everything."""
        place = f"{self.path}/{schedule_id}" if schedule_id else self.path
        return await self.client.post(f"{place}/{verb}", headers=self.headers)

    async def cancel(self, schedule_id: str) -> httpx.Response:
        return await self.client.delete(f"{self.path}/{schedule_id}", headers=self.headers)


def numbers(calendar: dict[str, Any]) -> list[int]:
    """Which of a series' times are schedules that are not at an end."""
    return [schedule["occurrence"] for schedule in calendar["schedules"]]


async def until_waiting(units: Units[Store], *tasks: asyncio.Task[Any]) -> None:
    """Until each of them waits for a lock, as the database says."""

    async def wait() -> bool:
        async with units(Scope.nobody()) as store:
            waiting = await store._transaction.scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return waiting >= len(tasks) or any(task.done() for task in tasks)

    await wait_for(wait)
    assert not any(task.done() for task in tasks)


def body(revision: SealedRevision, connection_ids: Sequence[UUID] | None = None) -> dict[str, Any]:
    chosen = connection_ids or [variant.connection_id for variant in revision.variants]
    return {
        "post_id": str(revision.post_id),
        "revision_id": str(revision.revision_id),
        "connection_ids": [str(connection_id) for connection_id in chosen],
        "time_zone": "Europe/Berlin",
    }


@pytest.fixture
def environment(service_environment: ServiceEnvironment) -> dict[str, str]:
    return service_environment("scheduler")


@pytest.fixture
def content(passports: Passports) -> Content:
    return Content(passports)


@pytest.fixture
def auth(passports: Passports) -> Auth:
    return Auth(passports)


@pytest.fixture
def passports(keys_folder: Any, clock: Any) -> Passports:
    key = SigningKey.load("content", keys_folder / "content.signing.pem")
    return Passports(key, TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)


@pytest.fixture
async def units(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Units[Store]]:
    """The rows without a scheduler: for tests that hold transactions open."""
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=4)
    await database.open()
    yield Units(database, Store)
    await database.close()


@pytest.fixture
async def client(
    environment: dict[str, str], content: Content, auth: Auth, bus: object, running: Running
) -> AsyncIterator[httpx.AsyncClient]:
    apps = {"content": content.app(), "auth": auth.app()}
    app = create_app(environment, transports={name: InProcess(apps, name) for name in apps})
    async with running(app) as client:
        yield client


@pytest.fixture
def tomorrow(clock: MovableClock) -> str:
    """This hour of tomorrow on the wall clock of Berlin."""
    return (clock.now() + timedelta(days=1)).astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="seconds")


@pytest.fixture
def member(client: httpx.AsyncClient, passport: MakePassport) -> Member:
    return Member(client, new_id(), passport)
