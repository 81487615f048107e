"""`signoff up` as a process: it comes up, answers, stops clean, finds its data again, and says what is wrong."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import psutil
from kit.testing import wait_for
from signoff.demo.person import Person
from signoff.installation import DATABASES, SERVICES, STORES

from .conftest import Up, running

ACCOUNT = {"email": "owner@example.com", "password": "seven hills before breakfast"}
DETAILS = {"time_zone": "Europe/Berlin", "language": "en"}


def start(started: list[Up], data: Path, *options: str, **environment: str) -> Up:
    up = Up(data, *options, environment=environment)
    started.append(up)
    return up


async def sign_up(url: str, data: Path) -> None:
    async with Person("owner", ACCOUNT["email"], url) as owner:
        await owner.sign_up(data / "mail", **DETAILS)


def sign_in(url: str) -> int:
    # Longer than a service waits for its database before it says that it cannot.
    return httpx.post(f"{url}/api/session", json=ACCOUNT, trust_env=False, timeout=30).status_code


async def test_it_comes_up_stops_clean_and_finds_its_data_again(started: list[Up], data_folder: Path):
    up = start(started, data_folder)
    up.wait_ready()
    gateway = up.place("gateway")
    assert up.place("mail") == str(data_folder / "mail")
    await sign_up(gateway, data_folder)
    assert sign_in(gateway) == 201
    passwords = (data_folder / "keys" / "database-passwords.json").read_text()
    assert not any(secret in up.text for secret in passwords.split('"') if len(secret) > 20)
    children = up.children()
    assert {child.name for child in running(children)} >= {"nats-server", "postgres"}
    assert up.stop() == 0
    assert not list(running(children))
    assert up.lines[-1] == "stopped"

    again = start(started, data_folder)
    again.wait_ready()
    assert sign_in(again.place("gateway")) == 201
    assert again.stop(signal.SIGINT) == 0
    log = (data_folder / "logs" / "signoff.jsonl").read_text()
    assert ACCOUNT["password"] not in log
    assert ACCOUNT["email"] not in log


def test_a_killed_system_leaves_nothing_running(started: list[Up], data_folder: Path):
    up = start(started, data_folder)
    up.wait_ready()
    children = up.children()
    up.process.kill()
    up.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_two_on_one_folder_is_one_clear_line(started: list[Up], data_folder: Path):
    first = start(started, data_folder)
    first.wait_ready()
    second = start(started, data_folder)
    assert second.wait() == 1
    assert second.lines[-1].startswith("signoff: ")
    assert f"in use by another `signoff up` (process {first.process.pid})" in second.lines[-1]
    assert first.stop() == 0


def test_a_lost_key_is_one_clear_line(started: list[Up], data_folder: Path):
    first = start(started, data_folder)
    first.wait_ready()
    assert first.stop() == 0
    (data_folder / "keys" / "vault.key").unlink()
    second = start(started, data_folder)
    assert second.wait() == 1
    assert "vault.key is missing" in second.lines[-1]
    assert not (data_folder / "keys" / "vault.key").exists()


def test_a_signal_during_the_start_is_obeyed(started: list[Up], data_folder: Path):
    up = start(started, data_folder)
    while not (data_folder / "nats" / "port").exists():
        assert up.process.poll() is None, up.text
    children = up.children()
    assert up.stop() == 0, up.text
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


async def test_a_database_that_dies_comes_back(started: list[Up], data_folder: Path):
    up = start(started, data_folder)
    up.wait_ready()
    gateway = up.place("gateway")
    mine = (child for child in running(up.children()) if child.parent == up.process.pid)
    next(child.process for child in mine if child.name == "postgres").kill()

    def refused() -> bool:
        return sign_in(gateway) == 401

    await wait_for(refused, 60)
    assert "postgres ended on its own (code -9) and is started again" in up.text
    assert up.stop() == 0


async def test_split_runs_a_process_for_each_service_and_mends_it(started: list[Up], data_folder: Path):
    up = start(started, data_folder, "--split")
    up.wait_ready(120)
    gateway = up.place("gateway")
    commands = {name: f"from {name}.main import run; run()" for name in SERVICES}

    def process_of(name: str) -> psutil.Process | None:
        return next((child.process for child in running(up.children()) if commands[name] in child.command), None)

    workers = {name: process_of(name) for name in SERVICES}
    assert all(workers.values())
    for name in DATABASES:
        environment = workers[name].environ()  # type: ignore[union-attr]
        own = {f"DATABASE_URL_{store.upper()}" for store in STORES if store.partition("_")[0] == name}
        assert {key for key in environment if key.startswith("DATABASE_URL_")} == own
    await sign_up(gateway, data_folder)
    assert workers["auth"] is not None
    workers["auth"].kill()

    def answers() -> bool:
        return sign_in(gateway) == 201

    await wait_for(answers, 60)
    assert "auth ended (code -9); started again in 0.5 s" in up.text
    children = up.children()
    assert up.stop() == 0
    assert not list(running(children))


def test_a_wrong_setting_ends_the_split_start(started: list[Up], data_folder: Path):
    up = start(started, data_folder, "--split", ATTEMPTS_BURST="none")
    assert up.wait(120) == 1
    assert up.lines[-1] == "signoff: gateway: ATTEMPTS_BURST is 'none', but must be a whole number"


def test_a_wrong_setting_is_one_line(started: list[Up], data_folder: Path):
    up = start(started, data_folder, ATTEMPTS_BURST="none")
    assert up.wait() == 1
    assert up.lines[-1] == "signoff: ATTEMPTS_BURST is 'none', but must be a whole number"


def databases_at(port: int) -> dict[str, str]:
    return {f"DATABASE_URL_{name.upper()}": f"postgresql://{name}:secret@127.0.0.1:{port}/{name}" for name in STORES}


def test_servers_that_the_environment_names_are_used(started: list[Up], data_folder: Path, free_port: int):
    nowhere = f"nats://127.0.0.1:{free_port}"
    cases = {
        "NATS_URL leads to no server that takes connections": {"NATS_URL": nowhere},
        "DATABASE_URL_AUTH_KEYS is not set": {"DATABASE_URL_AUTH": "postgresql:///auth"},
        "DATABASE_URL_AUTH leads to no database": databases_at(free_port),
    }
    for complaint, environment in cases.items():
        up = start(started, data_folder, **environment)
        assert up.wait() == 1
        assert up.lines[-1].startswith(f"signoff: {complaint}")
        assert "secret" not in up.text
