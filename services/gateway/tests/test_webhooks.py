"""What platforms tell passes to auth byte for byte, with their signatures and nothing else of theirs."""

from __future__ import annotations

import gateway.main
import httpx
import pytest
from gateway.domain.routes import WEBHOOK_BYTES_MAX

from .conftest import Neighbours

RAW = b'{"message" : "caf\\u00e9"}\r\n\x00\xff'
FEW = 8


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge that takes few webhooks, and hardly one more for as long as a test runs."""
    monkeypatch.setattr(gateway.main, "WEBHOOKS_BURST", FEW)
    monkeypatch.setattr(gateway.main, "WEBHOOKS_PER_MINUTE", 1)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "application/atom+xml"])
async def test_a_body_of_any_type_arrives_as_it_was_sent(client: httpx.AsyncClient, neighbours: Neighbours, kind: str):
    answer = await client.post("/webhooks/facebook", content=RAW, headers={"Content-Type": kind})
    assert (answer.status_code, answer.content) == (200, b"")
    assert neighbours.requests == [("/webhooks/facebook", RAW)]
    assert neighbours.headers[0]["content-type"] == kind


async def test_only_signatures_go_with_it(client: httpx.AsyncClient, neighbours: Neighbours):
    signed = {"X-Hub-Signature-256": "sha256=a", "TikTok-Signature": "t=1,s=b", "X-Twitter-Webhooks-Signature": "c"}
    others = {"X-Signoff-Callback": "deletion", "Cookie": "signoff_session=x", "X-Other": "1"}
    await client.post("/webhooks/facebook", content=RAW, headers=signed | others | {"Authorization": "Bearer x"})
    arrived = neighbours.headers[0]
    assert {name: arrived[name.lower()] for name in signed} == signed
    assert not {name.lower() for name in others} & arrived.keys()
    assert arrived.get("authorization") != "Bearer x"


async def test_no_signature_passes_anywhere_else(client: httpx.AsyncClient, neighbours: Neighbours):
    await client.post("/api/accounts", json={}, headers={"X-Hub-Signature-256": "sha256=a"})
    assert "x-hub-signature-256" not in neighbours.headers[0]


async def test_a_body_that_no_platform_sends_is_refused_here(client: httpx.AsyncClient, neighbours: Neighbours):
    answer = await client.post("/webhooks/facebook", content=b"x" * (WEBHOOK_BYTES_MAX + 1))
    assert (answer.status_code, neighbours.requests) == (413, [])


@pytest.mark.parametrize(
    "path", ["/webhooks/FACEBOOK", "/webhooks/a.b", "/webhooks/facebook/other", "/deletions/..%2f"]
)
async def test_what_is_no_address_of_ours_is_told_nobody(client: httpx.AsyncClient, neighbours: Neighbours, path: str):
    answer = await client.post(path) if "webhooks" in path else await client.get(path)
    assert (answer.status_code, neighbours.requests) == (404, [])


async def test_platforms_have_a_rate_of_their_own(client: httpx.AsyncClient):
    """The edge of these tests allows three attempts to sign in."""
    for _ in range(FEW):
        assert (await client.post("/webhooks/facebook", content=b"")).status_code == 200
    refused = await client.post("/webhooks/facebook", content=b"")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert (await client.get("/webhooks/facebook")).status_code == 429
    assert (await client.post("/api/accounts", json={})).status_code == 201


async def test_a_page_of_an_owner_says_which_styles_it_needs(client: httpx.AsyncClient):
    shown = await client.get("/deletions/" + "a" * 32)
    assert shown.headers["content-security-policy"] == "default-src 'none'; style-src 'sha256-x'"
    assert shown.headers["x-frame-options"] == "DENY"
    other = await client.post("/webhooks/facebook", content=b"")
    assert other.headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors")
