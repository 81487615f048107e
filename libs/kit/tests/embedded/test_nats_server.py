"""NATS as a child: streams and port survive restarts, and users are let in by their key alone."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path
from signal import SIGKILL

import nats
import nkeys
import pytest
from kit.embedded import ChildExit, EmbeddedError, EmbeddedNats, NatsUser
from kit.embedded.nats_server import program_path
from kit.embedded.ports import is_free
from kit.testing import wait_for
from nats.errors import NoServersError
from nats.js.api import StreamConfig


async def publish(server: EmbeddedNats, text: bytes) -> None:
    async with await nats.connect(server.url) as client:
        stream = client.jetstream()
        await stream.add_stream(StreamConfig(name="KEPT", subjects=["kept.>"]))
        await stream.publish("kept.word", text)


async def stored(server: EmbeddedNats) -> int:
    async with await nats.connect(server.url) as client:
        return (await client.jetstream().stream_info("KEPT")).state.messages


def start_as_nobodys_child(folder: Path) -> subprocess.Popen[bytes]:
    command = [str(program_path()), "-c", str(folder / "server.conf")]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)


async def test_a_second_start_has_the_port_and_the_messages_of_the_first(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path) as first:
        await publish(first, b"one")
    async with EmbeddedNats(tmp_path) as second:
        assert second.url == first.url
        assert await stored(second) == 1


async def test_a_killed_server_reports_itself_and_keeps_what_it_confirmed(tmp_path: Path) -> None:
    reported: list[ChildExit] = []
    server = EmbeddedNats(tmp_path, on_unexpected_exit=reported.append)
    await server.start()
    await publish(server, b"one")
    await server.kill()
    await wait_for(lambda: reported)
    assert (reported[0].name, reported[0].code, reported[0].expected) == ("nats", -SIGKILL, False)
    async with server:
        assert await stored(server) == 1


async def test_the_end_of_the_server_can_be_awaited(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path) as server:
        end = asyncio.create_task(server.exited())
        await asyncio.sleep(0)
        await server.stop()
        assert (await end).expected
        with pytest.raises(EmbeddedError, match="does not run"):
            await server.exited()


async def test_a_start_given_up_leaves_no_server_behind(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    start = asyncio.create_task(server.start())
    await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not server.running
    assert is_free(server.port)


async def test_a_remembered_port_that_is_taken_is_given_up(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path) as server:
        before = server.port
    with socket.create_server(("127.0.0.1", before)):
        async with EmbeddedNats(tmp_path) as server:
            assert server.port != before


async def test_a_port_asked_for_that_is_taken_is_an_error(tmp_path: Path, free_port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", free_port)),
        pytest.raises(EmbeddedError, match=f"port {free_port} is taken"),
    ):
        await EmbeddedNats(tmp_path, port=free_port).start()


async def test_a_server_left_over_is_stopped_before_the_own_one_starts(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path) as server:
        pass
    left = start_as_nobodys_child(tmp_path / "nats")
    await wait_for(lambda: not is_free(server.port))
    async with server:
        assert left.wait(timeout=5) is not None
        assert server.pid != left.pid


async def test_two_servers_never_share_a_folder(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path):
        with pytest.raises(EmbeddedError, match="is in use by another process of ours"):
            await EmbeddedNats(tmp_path).start()


class Identity:
    """A key pair made for one test."""

    def __init__(self) -> None:
        pair = nkeys.from_seed(nkeys.encode_seed(b"\x07" * 32, nkeys.PREFIX_BYTE_USER))
        self.public_key: str = pair.public_key.decode()
        self.seed: str = pair.seed.decode()


async def test_only_known_keys_enter_and_each_keeps_to_its_subjects(tmp_path: Path) -> None:
    identity = Identity()
    user = NatsUser("writer", identity.public_key, publish=["allowed.>"], subscribe=[])
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error))

    async with EmbeddedNats(tmp_path, users=[user]) as server:
        with pytest.raises((NoServersError, nats.errors.Error), match=r"(?i)authorization|no servers"):
            await nats.connect(server.url, allow_reconnect=False, max_reconnect_attempts=1)
        async with await nats.connect(server.url, nkeys_seed_str=identity.seed, error_cb=note) as client:
            await client.publish("allowed.word", b"")
            await client.flush()
            assert refused == []
            await client.publish("forbidden.word", b"")
            await client.subscribe("allowed.word")
            await wait_for(lambda: len(refused) == 2)
    assert "publish" in refused[0].lower()
    assert "subscription" in refused[1].lower()


async def test_a_user_without_a_valid_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="the NATS user writer has no valid public key"):
        await EmbeddedNats(tmp_path, users=[NatsUser("writer", "nonsense")]).start()


async def test_what_the_disk_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "nats").write_text("a file where the folder should be")
    with pytest.raises(EmbeddedError, match="File exists") as raised:
        await EmbeddedNats(tmp_path).start()
    assert "\n" not in str(raised.value)


async def test_the_url_carries_no_credentials_and_loopback_only(nats_url: str) -> None:
    assert nats_url.startswith("nats://127.0.0.1:")
    assert "@" not in nats_url
