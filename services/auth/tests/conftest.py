"""auth on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from auth.adapters.key_file import KeyFile
from auth.adapters.keys import StoredKeys
from auth.adapters.platforms import CalledPlatforms
from auth.adapters.store import PostgresStore
from auth.adapters.vault import EnvelopeVault
from auth.main import create_app
from auth.ports.store import Store, Transactions
from kit.clock import MovableClock
from kit.database import Database, Units
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports
from kit.secret import Secret
from kit.settings import Environment
from kit.testing.services import Bus, MakePassport, Running, ServiceEnvironment
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from platforms.environment import OfferedPlatforms
from sandbox.facebook.platform import FacebookSandbox
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer

from services.auth.tests.client import Auth, Room, Superuser
from services.auth.tests.mailbox import Mailbox
from services.auth.tests.openid_browser import CALLBACK, PUBLIC_URL, Browser
from services.auth.tests.openid_person import CLIENT_ID, CLIENT_SECRET, Person, RunningProvider, run_provider
from services.auth.tests.team import Team

BLUESKY_CLIENT_ID = "http://localhost?" + urlencode(
    {"redirect_uri": f"{PUBLIC_URL}/api/oauth/callback", "scope": "atproto"}
)
CLIENT_IDS = {"tiktok": "sandbox-client-key", "bluesky": BLUESKY_CLIENT_ID}


@pytest.fixture
def imitated() -> tuple[str, ...]:
    """Two platforms stand for all; a test of others says so."""
    return ("tiktok", "bluesky")


@pytest.fixture
async def sandbox(clock: MovableClock, imitated: tuple[str, ...]) -> AsyncIterator[Sandbox]:
    """The platforms, under the clock that auth has."""
    async with Sandbox(clock=clock, only=imitated) as running_sandbox:
        yield running_sandbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Where every letter arrives, over real SMTP."""
    async with Mailbox() as running_mailbox:
        yield running_mailbox


@pytest.fixture
def environment(service_environment: ServiceEnvironment, mailbox: Mailbox) -> dict[str, str]:
    return service_environment("auth") | {"SMTP_URL": mailbox.url}


@pytest.fixture
def offering(environment: dict[str, str], sandbox: Sandbox) -> dict[str, str]:
    """The environment of an auth that offers every platform of the sandbox."""
    offered = {"PUBLIC_URL": PUBLIC_URL}
    for name, url in sandbox.base_urls.items():
        offered |= {
            f"PLATFORM_URL_{name.upper()}": url,
            f"PLATFORM_CLIENT_ID_{name.upper()}": CLIENT_IDS.get(name, "sandbox-client-id"),
            f"PLATFORM_CLIENT_SECRET_{name.upper()}": "sandbox-client-secret",
        }
    return environment | offered


StartAuth = Any


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every finished span of the running auths."""
    return InMemorySpanExporter()


@pytest.fixture
def start(
    bus: Bus,
    environment: dict[str, str],
    running: Running,
    passport: MakePassport,
    spans: InMemorySpanExporter,
    mailbox: Mailbox,
) -> StartAuth:
    """Run auth for a block: `async with start() as auth`."""
    traces = TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(spans))

    @asynccontextmanager
    async def run(**changes: str) -> AsyncIterator[Auth]:
        app = create_app(environment | changes, tracer_provider=traces)
        async with running(app) as http:
            yield Auth(http, passport, mailbox, app)

    return run


@pytest.fixture
async def auth(start: StartAuth) -> AsyncIterator[Auth]:
    context: AbstractAsyncContextManager[Auth] = start()
    async with context as running_auth:
        yield running_auth


@pytest.fixture
async def room(start: StartAuth, offering: dict[str, str], sandbox: Sandbox) -> AsyncIterator[Room]:
    """A workspace in an auth that offers the sandbox's platforms."""
    async with start(**offering) as auth:
        account_id = await auth.sign_up()
        yield Room(auth, sandbox, account_id, await auth.create_workspace(account_id))


@pytest.fixture
async def team(auth: Auth) -> Team:
    """A workspace of one person."""
    owner = await auth.sign_up(full_name="Olive Owner")
    return Team(auth, owner, await auth.create_workspace(owner))


@pytest.fixture
async def hooked(room: Room, imitated: tuple[str, ...]) -> AsyncIterator[str]:
    """An address of the room's auth, which every sandbox tells at once of who leaves."""
    server = LoopbackServer()
    await server.start(room.auth.app)
    webhooks = f"{server.base_url}/webhooks"
    if "tiktok" in imitated:
        room.sandbox.tiktok.state.clients[CLIENT_IDS["tiktok"]].webhook_url = f"{webhooks}/tiktok"
    if "facebook" in imitated:
        client = room.sandbox.of(FacebookSandbox).state.clients["sandbox-client-id"]
        client.deauthorise_url = f"{webhooks}/facebook/deauthorise"
        client.deletion_url = f"{webhooks}/facebook/data-deletion"
    yield server.base_url
    await server.stop()


@pytest.fixture
async def transactions(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Transactions]:
    """auth's database as its use cases open it."""
    database = Database("auth", Secret(environment["DATABASE_URL_AUTH"]), clock, connections_max=4)
    await database.open()
    yield Units[Store](database, PostgresStore)
    await database.close()


@pytest.fixture
def read_passports(keys_folder: Path, clock: MovableClock) -> Passports:
    """Reads passports as every service does."""
    key = SigningKey.load("auth", keys_folder / "auth.signing.pem")
    return Passports(key, TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)


@pytest.fixture
async def called(offering: dict[str, str], clock: MovableClock) -> AsyncIterator[CalledPlatforms]:
    """The platforms as a second auth would call them."""
    platforms = CalledPlatforms(OfferedPlatforms.read(Environment(offering)), clock)
    async with platforms.open():
        yield platforms


@pytest.fixture
async def keys(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[StoredKeys]:
    """The store of keys as the vault opens it."""
    url = Secret(environment["DATABASE_URL_AUTH_KEYS"])
    stored = StoredKeys(Database("auth_keys", url, clock, connections_max=4, connections_min=0))
    async with stored.opened():
        yield stored


@pytest.fixture
def vault(environment: dict[str, str], keys: StoredKeys) -> EnvelopeVault:
    """A second vault beside that of the running auth, on the same keys."""
    return EnvelopeVault(KeyFile(Path(environment["VAULT_KEY_FILE"])), keys)


@pytest.fixture
def superuser(environment: dict[str, str]) -> Iterator[Superuser]:
    """Sees every row whatever the policies say."""
    with (
        Superuser.connect(environment["DATABASE_SUPERUSER_URL_AUTH"], autocommit=True) as connection,
        psycopg.connect(environment["DATABASE_SUPERUSER_URL_AUTH_KEYS"], autocommit=True) as keys,
    ):
        connection.keys = keys
        yield connection


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[RunningProvider]:
    with run_provider(CALLBACK) as running_provider:
        yield running_provider


@pytest.fixture
def trusting(environment: dict[str, str], openid_provider: RunningProvider) -> dict[str, str]:
    """The environment of an auth that trusts the provider."""
    return environment | {
        "PUBLIC_URL": PUBLIC_URL,
        "OPENID_PROVIDERS": "acme",
        "OPENID_ACME_LABEL": "Acme",
        "OPENID_ACME_ISSUER": openid_provider.issuer,
        "OPENID_ACME_CLIENT_ID": CLIENT_ID,
        "OPENID_ACME_CLIENT_SECRET": CLIENT_SECRET,
    }


@pytest.fixture
async def browser(start: StartAuth, trusting: dict[str, str]) -> AsyncIterator[Browser]:
    """In front of an auth that trusts the provider, with a person whom it does not know yet."""
    person = Person("person@example.com")
    async with start(**trusting) as auth:
        yield Browser(auth, person)
    await person.leave()
