"""The three services and both servers, with everything that is needed to kill one and to bring it back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Protocol
from urllib.parse import urlsplit

import nats
import psycopg
from kit import migrations
from kit.embedded import ChildExit, ChildProcess, ChildSpec, EmbeddedPostgres
from kit.embedded.processes import tail
from kit.key_files import generate_keys
from kit.provision import provision
from kit.secret import Secret
from kit.streams import DEFAULTS, TopologySettings
from kit.topology import reconcile
from signoff.listening import Listener, listen

from tests.integration.chaos.plan import CONSUMERS, LEADS, NATS, POSTGRES, PRODUCER, SERVICES, Commit, Plan, service_of
from tests.integration.chaos.services import TABLES

ROOT = Path(__file__).parents[3]
PASSWORD = Secret("only-in-tests")
STOP_SECONDS = 35.0
LINE_SHOWN_MAX = 240


@dataclass(frozen=True)
class Kill:
    """A process was killed and started again; times in seconds since the epoch."""

    victim: str
    at: float
    restarted_at: float


class Mortal(Protocol):
    """What can be killed and started again."""

    async def kill(self) -> None: ...

    async def start(self) -> None: ...


class Leads:
    """The sessions that hold an advisory lock. Nobody has to start them again."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    async def kill(self) -> None:
        # Where the server dies at the same time, it takes all of them along.
        with contextlib.suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(self._postgres.superuser_url) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )

    async def start(self) -> None:
        return


class Worker:
    """One service's process. Like a pod it is started again when it ends by itself; that is noted."""

    def __init__(self, spec: ChildSpec) -> None:
        self._spec = spec
        self._wanted = asyncio.Event()
        self._child: ChildProcess | None = None
        self.ended_itself: list[ChildExit] = []
        self._task = asyncio.ensure_future(self._keep())

    async def start(self) -> None:
        self._wanted.set()

    async def kill(self) -> None:
        self._wanted.clear()
        if self._child is not None:
            await asyncio.to_thread(self._child.kill_blocking)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._child is not None:
            await asyncio.to_thread(self._child.stop_blocking)

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._child = await asyncio.to_thread(ChildProcess, self._spec)
            ended = await self._child.exited()
            if self._wanted.is_set():
                self.ended_itself.append(ended)


class Bus(Mortal, Protocol):
    """NATS: one server, or several as one."""

    @property
    def url(self) -> str: ...


class House:
    """What runs, by the names that a plan uses for it."""

    def __init__(self, folder: Path, bus: Bus, postgres: EmbeddedPostgres) -> None:
        self.folder = folder
        self.bus_url = bus.url
        self.postgres = postgres
        self.workers: dict[str, Worker] = {}
        self.kills: list[Kill] = []
        self.told = 0
        self._others: dict[str, Mortal] = {NATS: bus, POSTGRES: postgres, LEADS: Leads(postgres)}
        self._down: dict[str, float] = {}

    async def kill(self, victims: Sequence[str]) -> None:
        """End all of them at once, as SIGKILL does."""
        self._down |= dict.fromkeys(victims, time.time())
        await asyncio.gather(*(self._part(victim).kill() for victim in victims))

    async def start(self, victims: Sequence[str]) -> None:
        """Bring all of them back; returns when the servers among them answer and the services' processes run."""
        self.kills += [Kill(victim, self._down.pop(victim), time.time()) for victim in victims]
        await asyncio.gather(*(self._part(victim).start() for victim in victims))

    async def tell(self, commits: Sequence[Commit]) -> None:
        """Have the producer commit these too, in their order."""
        self.told += sum(len(commit.fact_ids) for commit in commits)
        async with await psycopg.AsyncConnection.connect(self.superuser_url(PRODUCER)) as connection:
            await connection.cursor().executemany(
                "INSERT INTO chaos.planned (post_id, fact_ids) VALUES (%s, %s)",
                [(commit.post_id, list(commit.fact_ids)) for commit in commits],
            )

    def _part(self, victim: str) -> Mortal:
        return self._others.get(victim) or self.workers[victim]

    def superuser_url(self, service: str) -> str:
        return urlsplit(self.postgres.superuser_url)._replace(path=f"/{service}").geturl()

    def logged(self, event: str) -> int:
        """How often the services wrote a line of that name."""
        return sum(file.read_text().count(f'"event": "{event}"') for file in self.folder.glob("*-?.log"))

    def logs(self, lines: int = 12) -> str:
        """The ends of what everybody wrote, to understand a failure by."""
        ends = {file.name: tail(file, lines).splitlines() for file in sorted(self.folder.rglob("*.log"))}
        return "\n".join(
            f"--- {name}\n" + "\n".join(line[:LINE_SHOWN_MAX] for line in end) for name, end in ends.items()
        )


@asynccontextmanager
async def furnished(folder: Path, plan: Plan, bus: Bus, streams: TopologySettings = DEFAULTS) -> AsyncIterator[House]:
    """The house over an empty folder and a running NATS, with every process running and nothing told yet."""
    generate_keys(folder / "keys", SERVICES)
    async with AsyncExitStack() as stack:
        # With its durable settings: what it confirmed must outlive it.
        house = House(folder, bus, await stack.enter_async_context(EmbeddedPostgres(folder)))
        await asyncio.to_thread(_fill, house, plan)
        client = await nats.connect(bus.url.split(","))
        await reconcile(client.jetstream(), streams)
        await client.close()
        for process in plan.processes:
            place = stack.enter_context(listen(None))
            worker = house.workers[process] = Worker(_spec(house, process, place))
            stack.push_async_callback(worker.close)
            await worker.start()
        yield house


def _fill(house: House, plan: Plan) -> None:
    for service in SERVICES:
        provision(Secret(house.postgres.superuser_url), service, login_password=PASSWORD, owner_password=PASSWORD)
        owner_url = house.postgres.url(role=f"{service}_owner", password=PASSWORD.reveal(), database=service)
        migrations.upgrade(service, Secret(owner_url))
        with psycopg.connect(house.superuser_url(service)) as connection:
            connection.execute("CREATE SCHEMA chaos")
            connection.execute(TABLES["content" if service == PRODUCER else "consumer"].encode())
            connection.execute(f"GRANT USAGE ON SCHEMA chaos TO {service}_worker".encode())
            connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA chaos TO {service}_worker".encode())
            _store(connection.cursor(), service, plan)


def _store(cursor: psycopg.Cursor, service: str, plan: Plan) -> None:
    if service in CONSUMERS:
        cursor.executemany("INSERT INTO chaos.fault VALUES (%s, %s)", list(plan.faults[service].items()))
        return
    cursor.executemany("INSERT INTO chaos.post VALUES (%s)", [(post,) for post in {c.post_id for c in plan.commits}])


def _spec(house: House, process: str, place: Listener) -> ChildSpec:
    service = service_of(process)
    return ChildSpec(
        name=process,
        command=[sys.executable, "-m", "tests.integration.chaos.services", service],
        directory=house.folder,
        log_file=house.folder / f"{process}.log",
        stop_signal=SIGTERM,
        stop_seconds=STOP_SECONDS,
        environment=_environment(house, service) | {"LISTEN_DESCRIPTOR": str(place.descriptor)},
        inherited=(place.descriptor,),
    )


def _environment(house: House, service: str) -> dict[str, str]:
    keys = house.folder / "keys"
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "SIGNOFF_STAGE": "development",
        "NATS_URL": house.bus_url,
        "TRUSTED_KEYS_FILE": str(keys / "trusted.jwks.json"),
        f"SIGNING_KEY_FILE_{service.upper()}": str(keys / f"{service}.signing.pem"),
        f"DATABASE_URL_{service.upper()}": house.postgres.url(
            role=service, password=PASSWORD.reveal(), database=service
        ),
        # A handler that fails on purpose holds two connections.
        "DATABASE_CONNECTIONS_MAX": "16",
    }
