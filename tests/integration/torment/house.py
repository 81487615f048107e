"""The whole system with two publishers on servers of our own, so that each of them can be killed and come back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from signal import SIGTERM
from urllib.parse import urlsplit

import nats
from kit import migrations
from kit.embedded import ChildSpec, EmbeddedNats, EmbeddedPostgres
from kit.embedded.processes import tail
from kit.provision import provision
from kit.secret import Secret
from kit.streams import DEFAULTS
from kit.topology import reconcile
from sandbox.server import Sandbox
from signoff.demo.person import Person
from signoff.installation import SERVICES, STORES
from signoff.listening import listen
from signoff.split import STOP_SECONDS, Split

from tests.integration.chaos.house import Mortal, Worker
from tests.integration.chaos.plan import NATS, POSTGRES
from tests.integration.torment.plan import PUBLISHERS

PASSWORD = Secret("only-in-tests")
LINE_SHOWN_MAX = 240


class House:
    """What runs, by the names that a plan uses for it."""

    def __init__(self, system: Split, second: Worker, bus: EmbeddedNats, postgres: EmbeddedPostgres) -> None:
        self.system = system
        self.bus_url = bus.url
        self._postgres = postgres
        self._others: dict[str, Mortal] = {PUBLISHERS[1]: second, NATS: bus, POSTGRES: postgres}

    @property
    def sandbox(self) -> Sandbox:
        assert self.system.sandbox is not None
        return self.system.sandbox

    async def kill(self, victims: Sequence[str]) -> None:
        """End all of them at once, as SIGKILL does."""
        await asyncio.gather(
            *(self._others[name].kill() if name in self._others else self.system.kill(name) for name in victims)
        )

    async def start(self, victims: Sequence[str]) -> None:
        """Bring all of them back; a service's process is started again until it can serve."""
        await asyncio.gather(
            *(self._others[name].start() if name in self._others else self.system.restart(name) for name in victims)
        )

    def superuser_url(self, store: str) -> str:
        return urlsplit(self._postgres.superuser_url)._replace(path=f"/{store}").geturl()

    def logged(self, event: str) -> int:
        """How often somebody wrote a line of that name."""
        return sum(file.read_text().count(f'"event": "{event}"') for file in self._log_files())

    def logs(self, lines: int = 8) -> str:
        """The ends of what everybody wrote, to understand a failure by."""
        return "\n".join(
            f"--- {file.name}\n" + "\n".join(line[:LINE_SHOWN_MAX] for line in tail(file, lines).splitlines())
            for file in self._log_files()
        )

    def _log_files(self) -> list[Path]:
        return sorted((self.system.surroundings.installation.path / "logs").glob("*.jsonl"))


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[tuple[House, Person]]:
    """The house over an empty folder, and a person who is signed in."""
    async with AsyncExitStack() as stack:
        # With their durable settings: what they confirmed must outlive them.
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder))
        bus = await stack.enter_async_context(EmbeddedNats(folder))
        await asyncio.to_thread(_make_databases, postgres)
        client = await nats.connect(bus.url)
        await reconcile(client.jetstream(), DEFAULTS)
        await client.close()
        environment = {"NATS_URL": bus.url} | {
            f"DATABASE_URL_{store.upper()}": postgres.url(role=store, password=PASSWORD.reveal(), database=store)
            for store in STORES
        }
        system = await stack.enter_async_context(Split(folder / "system", sandbox=True, environment=environment))
        second = Worker(_second_publisher(system, stack))
        stack.push_async_callback(second.close)
        await second.start()
        owner = await stack.enter_async_context(Person("owner", "owner@example.com", system.gateway_url))
        await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
        await owner.sign_in()
        house = House(system, second, bus, postgres)
        # An orderly end waits for open requests, and nobody looks at it here.
        stack.push_async_callback(house.kill, [*SERVICES, PUBLISHERS[1]])
        yield house, owner


def _make_databases(postgres: EmbeddedPostgres) -> None:
    for store in STORES:
        provision(Secret(postgres.superuser_url), store, login_password=PASSWORD, owner_password=PASSWORD)
        owner_url = postgres.url(role=f"{store}_owner", password=PASSWORD.reveal(), database=store)
        migrations.upgrade(store, Secret(owner_url))


def _second_publisher(system: Split, stack: AsyncExitStack) -> ChildSpec:
    place = stack.enter_context(listen(None))
    folder = system.surroundings.installation.path
    return ChildSpec(
        name=PUBLISHERS[1],
        command=[sys.executable, "-c", "from publisher.main import run; run()"],
        directory=folder,
        log_file=folder / "logs" / f"{PUBLISHERS[1]}.jsonl",
        stop_signal=SIGTERM,
        stop_seconds=STOP_SECONDS,
        environment=system.environment_of("publisher") | {"LISTEN_DESCRIPTOR": str(place.descriptor)},
        inherited=(place.descriptor,),
    )
