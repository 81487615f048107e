"""Starting, stopping, and the control interface that another process uses."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from kit.clock import MovableClock
from sandbox.server import IMITATED, Sandbox
from sandbox.tiktok.state import Asked


async def test_it_starts_all_platforms_and_gives_its_ports_back() -> None:
    async with Sandbox() as sandbox:
        assert set(sandbox.base_urls) == {kind.name for kind in IMITATED}
        assert all(url.startswith("http://127.0.0.1:") for url in sandbox.base_urls.values())
        ports = {name: int(url.rsplit(":", 1)[1]) for name, url in sandbox.base_urls.items()}
    async with Sandbox(ports=ports) as again:
        assert again.base_urls == sandbox.base_urls


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    taken = int(sandbox.base_urls["bluesky"].rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        await Sandbox(ports={"bluesky": taken}).__aenter__()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_as_a_process_it_prints_its_addresses_and_stops_on_a_signal(
    number: signal.Signals, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    file = tmp_path / "clock"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--clock-file", str(file), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    base_urls = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    MovableClock(file).advance(timedelta(days=3))
    answer = await http.get(f"{base_urls['tiktok']}/_sandbox/posts")
    assert answer.json() == []
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert await process.stdout.read() == b""


async def test_accounts_and_applications_can_be_added(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    tiktok, bluesky = sandbox.base_urls["tiktok"], sandbox.base_urls["bluesky"]
    client = {"client_key": "mine", "client_secret": "s", "redirect_uris": ["https://app.example/cb"]}
    added = await http.post(f"{tiktok}/_sandbox/clients", json=client)
    assert (added.status_code, added.json()["audited"]) == (201, True)
    account = await http.post(f"{tiktok}/_sandbox/accounts", json={"username": "nora", "private": True})
    assert account.json()["open_id"] == "sandbox-open-id-nora"
    carol = await http.post(f"{bluesky}/_sandbox/accounts", json={"handle": "carol.test"})
    did = carol.json()["did"]
    document = (await http.get(f"{bluesky}/{did}")).json()
    assert document["alsoKnownAs"] == ["at://carol.test"]


async def test_faults_are_planned_counted_and_cleared(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    base, fault = sandbox.base_urls["bluesky"], {"route": "GET /xrpc/*", "kind": "answer", "status": 418}
    url = f"{base}/xrpc/com.atproto.identity.resolveHandle?handle=brand.test"
    await http.post(f"{base}/_sandbox/faults", json=fault | {"skip": 1, "times": 2})
    assert [(await http.get(url)).status_code for _ in range(4)] == [200, 418, 418, 200]
    await http.post(f"{base}/_sandbox/faults", json=fault)
    await http.delete(f"{base}/_sandbox/faults")
    assert (await http.get(url)).status_code == 200
    counted = (await http.get(f"{base}/_sandbox/requests")).json()
    assert counted == {"GET /xrpc/com.atproto.identity.resolveHandle": 5}


async def test_a_malformed_fault_is_refused(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{sandbox.base_urls['tiktok']}/_sandbox/faults", json={"kind": "explode"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("kind", "effects"), [("reset_before", 0), ("reset_during", 0), ("reset_after", 1)])
async def test_a_cut_connection_gives_no_answer_and_the_effect_it_says(
    sandbox: Sandbox, http: httpx.AsyncClient, kind: str, effects: int
) -> None:
    base = sandbox.base_urls["tiktok"]
    sandbox.add_fault("tiktok", "POST /v2/auth/authorize/", kind)
    sandbox.tiktok.state.asked["r1"] = _asked()
    form = {"request_id": "r1", "account": "sandbox-open-id-one", "decision": "allow"}
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
        await http.post(f"{base}/v2/auth/authorize/", data=form)
    assert len(sandbox.tiktok.state.codes) == effects


async def test_a_delay_and_an_answer_after_the_effect(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    base = sandbox.base_urls["tiktok"]
    sandbox.tiktok.state.asked["r1"] = _asked()
    sandbox.add_fault("tiktok", "GET /slow/", "delay", delay_seconds=0.05)
    began = time.monotonic()
    await http.get(f"{base}/slow/")
    assert time.monotonic() - began >= 0.05
    sandbox.add_fault("tiktok", "POST /v2/auth/authorize/", "answer_after", status=502)
    form = {"request_id": "r1", "account": "sandbox-open-id-one", "decision": "allow"}
    assert (await http.post(f"{base}/v2/auth/authorize/", data=form)).status_code == 502
    assert len(sandbox.tiktok.state.codes) == 1


def _asked() -> Asked:
    return Asked("sandbox-client-key", "http://127.0.0.1:1/cb", "s", ["user.info.basic"], None)
