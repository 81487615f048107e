"""Connections to NATS: kept through everything a server does, and encrypted or not there at all."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from kit import bus
from kit.embedded.nats_server import EmbeddedNats, NatsUser
from kit.identities import generate_seeds, public_key, seed_file
from kit.settings import BusSettings, SettingError
from kit.testing import wait_for
from kit.testing.authority import Authority
from nats.aio.client import Client

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "server", durable=False) as server:
        yield server


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def hears_itself(client: Client) -> bool:
    """Whether what is published comes back, through the server."""
    inbox = await client.subscribe(client.new_inbox())
    await client.publish(inbox.subject, b"x")
    return (await inbox.next_msg(timeout=5)).data == b"x"


def told(logged: Logged, *events: str) -> list[dict[str, Any]]:
    """The log lines of these events, or all of a connection's."""
    return [line for line in logged() if (line["event"] in events if events else line["event"].startswith("bus_"))]


async def test_a_restarted_server_is_found_within_a_moment(server: EmbeddedNats, logged: Logged):
    back: list[float] = []

    async def on_reconnect() -> None:
        back.append(time.monotonic())

    client = await bus.connect(BusSettings(server.url), "metrics", on_reconnect=on_reconnect)
    await server.kill()
    await wait_for(lambda: told(logged, "bus_lost"))
    await server.start()
    up = time.monotonic()
    await wait_for(lambda: back)
    assert back[0] - up < 0.2
    assert await hears_itself(client)
    await client.close()
    assert len(back) == 1
    assert [line["event"] for line in told(logged) if line["event"] != "bus_error"] == [
        "bus_connected",
        "bus_lost",
        "bus_back",
        "bus_closed",
    ]
    assert {line["user"] for line in told(logged)} == {"metrics"}


@pytest.mark.parametrize(("away_seconds", "most"), [(0, 0.02), (1, 0.125), (4, 0.5), (3600, 1)])
def test_a_server_is_looked_for_less_often_the_longer_it_is_away(away_seconds: float, most: float):
    pauses = [bus.pause_seconds(away_seconds) for _ in range(50)]
    assert all(most / 2 <= pause <= most for pause in pauses)
    assert len(set(pauses)) > 1, "who lost the server together would come back together"


@pytest.mark.parametrize(("answer", "tries"), [(b"", 5), (b"x" * 100_000, 2)], ids=["nothing", "garbage"])
async def test_whatever_answers_meanwhile_is_told_once_and_the_server_is_found_in_the_end(
    server: EmbeddedNats, logged: Logged, answer: bytes, tries: int
):
    connections: list[str] = []

    async def answer_so(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("one more")
        writer.write(answer)
        writer.close()

    client = await bus.connect(BusSettings(server.url), "metrics")
    await server.stop()
    async with await asyncio.start_server(answer_so, "127.0.0.1", server.port):
        await wait_for(lambda: len(connections) >= tries)
    reasons = [line["reason"] for line in told(logged, "bus_error")]
    assert len(reasons) == len(set(reasons)), reasons
    await server.start()
    await wait_for(lambda: told(logged, "bus_back"))
    assert await hears_itself(client)
    await client.close()


async def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path, free_port: int):
    connecting = asyncio.ensure_future(bus.connect(BusSettings(f"nats://127.0.0.1:{free_port}"), "metrics"))
    async with EmbeddedNats(tmp_path / "server", port=free_port, durable=False) as server:
        client = await asyncio.wait_for(connecting, 10)
        assert client.connected_url is not None
        assert client.connected_url.port == server.port
        await client.close()


async def test_a_failing_hook_costs_no_connection(server: EmbeddedNats, logged: Logged):
    async def fail() -> None:
        raise nats.errors.Error("the hook's own")

    client = await bus.connect(BusSettings(server.url), "metrics", on_reconnect=fail)
    await server.stop()
    await server.start()
    await wait_for(lambda: told(logged, "bus_reconnect_hook_failed"))
    assert await hears_itself(client)
    await client.close()
    assert len(told(logged, "bus_back")) == 1


async def test_who_asks_for_one_attempt_hears_what_is_wrong(server: EmbeddedNats, tmp_path: Path, free_port: int):
    with pytest.raises(OSError, match="Connect call failed"):
        await bus.connect(BusSettings(f"nats://127.0.0.1:{free_port}"), "operator", keep_trying=False)
    reachable = BusSettings(f"nats://127.0.0.1:{free_port},{server.url}")
    client = await bus.connect(reachable, "operator", keep_trying=False)
    assert await hears_itself(client)
    await client.close()


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    """A server that lets metrics in and nobody else."""
    generate_seeds(tmp_path, ["metrics", "stranger"])
    user = NatsUser("metrics", public_key(seed_file(tmp_path, "metrics")))
    async with EmbeddedNats(tmp_path / "server", users=[user], durable=False) as server:
        yield server


async def test_who_is_shut_out_comes_back_when_let_in_again(guarded: EmbeddedNats, tmp_path: Path, logged: Logged):
    """As when keys are rolled and the server reads its users anew."""
    client = await bus.connect(BusSettings(guarded.url, seed_file=seed_file(tmp_path, "metrics")), "metrics")
    right = configuration_of(guarded)
    wrong = json.loads(right)
    wrong["authorization"]["users"][0]["nkey"] = public_key(seed_file(tmp_path, "stranger"))
    reload(guarded, json.dumps(wrong))
    await wait_for(lambda: "Authorization Violation" in str(told(logged, "bus_error")))
    reload(guarded, right)
    await wait_for(lambda: told(logged, "bus_back"))
    assert await hears_itself(client)
    await client.close()


async def test_who_is_told_to_leave_comes_back_as_soon_as_it_may(server: EmbeddedNats, logged: Logged):
    """The library alone takes such a word from the server as the end of the connection, for good."""
    first = await bus.connect(BusSettings(server.url), "auth")
    client = await bus.connect(BusSettings(server.url), "metrics")
    right = configuration_of(server)
    reload(server, json.dumps(json.loads(right) | {"max_connections": 1}))
    await wait_for(lambda: "maximum connections exceeded" in str(told(logged, "bus_error")))
    reload(server, right)
    await wait_for(lambda: told(logged, "bus_back"))
    assert await hears_itself(client)
    assert await hears_itself(first)
    await client.close()
    await first.close()


def configuration_of(server: EmbeddedNats) -> str:
    return server.configuration_file.read_text()


def reload(server: EmbeddedNats, configuration: str) -> None:
    """Let a running server read another configuration."""
    assert server.pid is not None
    server.configuration_file.write_text(configuration)
    os.kill(server.pid, signal.SIGHUP)


async def test_a_wrong_key_is_refused_and_not_logged(guarded: EmbeddedNats, tmp_path: Path, logged: Logged):
    file = seed_file(tmp_path, "stranger")
    connecting = asyncio.ensure_future(bus.connect(BusSettings(guarded.url, seed_file=file), "metrics"))
    await wait_for(lambda: told(logged, "bus_error"))
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    assert "Authorization Violation" in str(told(logged, "bus_error"))
    assert file.read_text().strip() not in json.dumps(logged())
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        await bus.connect(BusSettings(guarded.url, seed_file=file), "metrics", keep_trying=False)


async def once(url: str, **files: Path | None) -> Client:
    return await bus.connect(BusSettings(url, **files), "metrics", keep_trying=False)


async def test_an_encrypted_connection_needs_the_right_authority(tmp_path: Path, authority: Authority):
    async with EmbeddedNats(tmp_path / "server", tls=authority.nats(), durable=False) as server:
        assert server.url.startswith("tls://")
        for url in (server.url, server.url.replace("tls:", "nats:")):
            client = await once(url, ca_file=authority.ca_file)
            assert await hears_itself(client)
            await client.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await once(server.url, ca_file=Authority(tmp_path, "another").ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            await once(server.url)


async def test_a_client_that_does_not_encrypt_is_refused_by_a_server_that_does(tmp_path: Path, authority: Authority):
    async with EmbeddedNats(tmp_path / "server", tls=authority.nats(), durable=False) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert b'"tls_required":true' in await reader.readline()
        writer.write(b'CONNECT {"verbose":true}\r\nPING\r\n')
        assert b"PONG" not in await reader.read()
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await once(server.url.replace("tls:", "nats:"))


@pytest.mark.parametrize("scheme", ["tls", "nats"])
async def test_an_encrypted_connection_is_never_made_in_plain_text(
    server: EmbeddedNats, authority: Authority, scheme: str
):
    """The library encrypts only if the server asks for it, which somebody in between can keep from us."""
    with pytest.raises(nats.errors.SecureConnRequiredError):
        await once(server.url.replace("nats:", f"{scheme}:"), ca_file=authority.ca_file)


async def test_a_server_may_ask_for_our_certificate_too(tmp_path: Path, authority: Authority):
    tls = authority.nats(asking_clients=True)
    certificate, key = authority.issue("metrics")
    async with EmbeddedNats(tmp_path / "server", tls=tls, durable=False) as server:
        client = await once(server.url, ca_file=authority.ca_file, certificate_file=certificate, key_file=key)
        assert await hears_itself(client)
        await client.close()
        with pytest.raises((nats.errors.Error, OSError)):
            await once(server.url, ca_file=authority.ca_file)


async def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path, authority: Authority):
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    certificate, _ = authority.issue("metrics")
    with pytest.raises(SettingError, match=r"^NATS_CA_FILE holds no certificate"):
        await once("tls://127.0.0.1:1", ca_file=nothing)
    with pytest.raises(SettingError, match=r"^NATS_CERTIFICATE_FILE and NATS_KEY_FILE are no pair"):
        await once("tls://127.0.0.1:1", ca_file=authority.ca_file, certificate_file=certificate, key_file=nothing)
