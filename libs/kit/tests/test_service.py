"""A service starts on a schema and a topology that fit it, says when they do not, and tells how it is."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import httpx
import pytest
from contracts.scheduler import ScheduleCancelledV1
from kit import migrations
from kit.background import Loop
from kit.clock import MovableClock, SystemClock
from kit.database import Scope
from kit.embedded.nats_server import EmbeddedNats
from kit.ids import new_id
from kit.service import Service
from kit.settings import ServiceSettings, SettingError
from kit.subscription import Subscription
from kit.testing import wait_for
from kit.testing.services import Bus
from kit.topology import Drift
from litestar import Litestar, get

Running = Callable[[Litestar], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def code_needs_revision_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "head", lambda _: "0002")


@pytest.mark.parametrize("revision", ["0002", "0003"])
async def test_it_starts_on_its_schema_or_a_newer_one(
    bus: Bus, settings: ServiceSettings, running: Running, at_revision: Callable[[str], None], revision: str
):
    at_revision(revision)
    async with running(Service("scheduler", settings).app()) as client:
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", "nats": "up"})
        assert (await client.get("/health/live")).status_code == 200


async def test_it_does_not_start_on_an_older_schema(
    bus: Bus, settings: ServiceSettings, running: Running, at_revision: Callable[[str], None]
):
    at_revision("0001")
    with pytest.RaisesGroup(
        pytest.RaisesExc(SettingError, match="is at 0001, the code needs 0002: run signoff migrate"),
        flatten_subgroups=True,
    ):
        async with running(Service("scheduler", settings).app()):
            raise AssertionError("it started")


async def test_it_does_not_start_without_its_consumers(
    bus: Bus,
    settings: ServiceSettings,
    running: Running,
    at_revision: Callable[[str], None],
    recording: Callable[[], Subscription],
):
    at_revision("0002")
    await bus.jetstream.delete_consumer("CONTENT", "scheduler-content")
    with pytest.RaisesGroup(pytest.RaisesExc(Drift, match="scheduler-content: missing"), flatten_subgroups=True):
        async with running(Service("scheduler", settings).app(subscriptions=[recording()])):
            raise AssertionError("it started")


async def test_it_is_ready_but_says_so_while_nats_is_away(
    bus: Bus, settings: ServiceSettings, running: Running, at_revision: Callable[[str], None], nats_server: EmbeddedNats
):
    at_revision("0002")
    async with running(Service("scheduler", settings).app()) as client:

        async def nats_is(state: str) -> bool:
            answer = await client.get("/health/ready")
            assert answer.status_code == 200
            return bool(answer.json()["nats"] == state)

        await nats_server.kill()
        await wait_for(lambda: nats_is("down"))
        await nats_server.start()
        await wait_for(lambda: nats_is("up"))


async def test_it_serves_without_nats_and_tells_what_waited_when_nats_comes(
    bus: Bus,
    settings: ServiceSettings,
    running: Running,
    at_revision: Callable[[str], None],
    nats_server: EmbeddedNats,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("kit.messaging.START_SECONDS", 0.1)
    at_revision("0002")
    service = Service("scheduler", settings)
    event = ScheduleCancelledV1(workspace_id=new_id(), schedule_id=new_id(), reason="test")
    await nats_server.kill()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(running(service.app()))
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["nats"]) == (200, "down")
        async with service.database.transaction(Scope.worker()) as transaction:
            transaction.emit(event)
        await nats_server.start()
        assert await bus.wait_told(ScheduleCancelledV1, timeout_seconds=20) == [event]


async def test_what_nats_took_to_its_grave_is_told_as_soon_as_it_is_back(
    bus: Bus,
    settings: ServiceSettings,
    running: Running,
    at_revision: Callable[[str], None],
    nats_server: EmbeddedNats,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("kit.relay.ACK_TIMEOUT_SECONDS", 60)
    at_revision("0002")
    service = Service("scheduler", settings)
    events = [ScheduleCancelledV1(workspace_id=new_id(), schedule_id=new_id(), reason="test") for _ in range(20)]
    async with running(service.app()):
        before = service.nats.stats["out_msgs"]
        assert nats_server.pid is not None
        os.kill(nats_server.pid, signal.SIGSTOP)
        async with service.database.transaction(Scope.worker()) as transaction:
            for event in events:
                transaction.emit(event)
        await wait_for(lambda: service.nats.stats["out_msgs"] >= before + len(events))
        await nats_server.kill()
        await nats_server.start()
        assert await bus.wait_told(ScheduleCancelledV1, len(events), timeout_seconds=20) == events


async def test_it_is_no_longer_alive_when_a_loop_has_died(
    bus: Bus,
    settings: ServiceSettings,
    running: Running,
    at_revision: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
):
    at_revision("0002")
    sent: list[int] = []
    monkeypatch.setattr("os.kill", lambda _, number: sent.append(number))

    async def die() -> float:
        raise ValueError("broken")

    async with running(Service("scheduler", settings).app(loops=[Loop("dies", die)])) as client:
        await wait_for(lambda: sent == [signal.SIGTERM])
        answer = await client.get("/health/live")
    assert (answer.status_code, answer.json()) == (503, {"status": "a loop died"})


def test_it_reads_the_movable_clock_where_one_is_named(settings: ServiceSettings):
    assert isinstance(Service("scheduler", settings).clock, MovableClock)
    assert isinstance(Service("scheduler", dataclasses.replace(settings, clock_file=None)).clock, SystemClock)


def test_a_neighbour_without_an_address_is_a_wrong_setting(settings: ServiceSettings):
    with pytest.raises(SettingError, match=r"^SERVICE_URL_AUTH is not set$"):
        Service("scheduler", settings).neighbour("auth")


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ("40P01", "Somebody changed the same things at the same moment. Nothing was changed."),
        ("57P01", "The database does not answer."),
    ],
)
async def test_a_request_that_the_database_gave_up_is_to_be_made_again(
    settings: ServiceSettings,
    running: Running,
    at_revision: Callable[[str], None],
    bus: Bus,
    state: str,
    detail: str,
):
    at_revision("0002")
    service = Service("scheduler", settings)

    @get("/attempt")
    async def attempt() -> None:
        async with service.database.transaction(Scope.nobody()) as transaction:
            await transaction.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")

    async with running(service.app(routes=[attempt])) as http:
        answer = await http.get("/attempt")
    assert (answer.status_code, answer.json()["detail"]) == (503, detail)
    assert answer.headers["Retry-After"] == "5"
