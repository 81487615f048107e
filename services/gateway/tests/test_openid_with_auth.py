"""The edge in front of the real auth: a browser that signs in through a provider, and one that was lured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import auth.main
import httpx
import pytest
from gateway.main import create_app
from kit.calls import InProcess
from kit.testing.services import Bus, Running, ServiceEnvironment

from services.auth.tests.openid_stand_in import CLIENT_ID, StandIn
from services.gateway.tests.test_with_auth import DETAILS, browser


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
async def edge(
    bus: Bus, service_environment: ServiceEnvironment, running: Running, provider: StandIn
) -> AsyncIterator[InProcess]:
    """A transport to an edge whose auth trusts the provider."""
    trusting = {
        "PUBLIC_URL": "http://signoff.example",
        "OPENID_PROVIDERS": "acme",
        "OPENID_ACME_ISSUER": provider.issuer,
        "OPENID_ACME_CLIENT_ID": CLIENT_ID,
    }
    apps = {"auth": auth.main.create_app(service_environment("auth") | trusting)}
    transports = {
        name: InProcess(apps, name) for name in ("auth", "content", "scheduler", "publisher", "metrics", "retention")
    }
    gateway = create_app(service_environment("gateway"), transports=transports)
    async with running(apps["auth"]), running(gateway):
        yield InProcess({"gateway": gateway}, "gateway")


async def leave(client: httpx.AsyncClient, provider: StandIn) -> dict[str, str]:
    started = await client.post("/api/openid/sign-ins", json={"provider": "acme"})
    assert started.status_code == 201, started.text
    return provider.vouch(started.json()["authorisation_url"])


async def test_a_browser_comes_back_to_a_session(edge: InProcess, provider: StandIn):
    async with browser(edge) as person:
        arrived = await person.get("/api/openid/callback", params=await leave(person, provider))
        assert arrived.json()["state"] == "attestation_needed"
        assert "signoff_session" not in person.cookies
        completed = await person.post("/api/openid/accounts", json=DETAILS)
        assert completed.json().keys() == {"state", "account_id", "expires_at"}
        assert (await person.get("/api/account")).json()["email"] == "person@example.com"
        assert (await person.delete("/api/session")).status_code == 204
        again = await person.get("/api/openid/callback", params=await leave(person, provider))
        assert again.json().keys() == {"state", "account_id", "expires_at"}
        assert (await person.get("/api/account")).status_code == 200


async def test_nobody_is_signed_in_as_somebody_else_by_a_link(edge: InProcess, provider: StandIn):
    async with browser(edge) as attacker, browser(edge) as person:
        for signed_up in (False, True):
            lure = await leave(attacker, provider)
            await leave(person, provider)
            answer = await person.get("/api/openid/callback", params=lure)
            assert answer.status_code == 404
            assert "signoff_session" not in person.cookies
            assert (await person.post("/api/openid/accounts", json=DETAILS)).status_code == 404
            if not signed_up:
                await attacker.get("/api/openid/callback", params=lure)
                assert (await attacker.post("/api/openid/accounts", json=DETAILS)).status_code == 201
