"""The edge in front of the real auth: what a browser lives through between sign-up and sign-out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import auth.main
import httpx
import pyotp
import pytest
from gateway.main import create_app
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus, Running, ServiceEnvironment
from signoff.mail_folder import token_of

OWNER = {"email": "owner@example.com", "password": "seven hills before breakfast"}
OTHER = {"email": "other@example.com", "password": "seven hills after breakfast"}
DETAILS = {"time_zone": "Europe/Berlin", "age_attested": True}
WORKSPACE = {"name": "Sunrise", "time_zone": "Europe/Berlin"}


@pytest.fixture
async def edge(bus: Bus, service_environment: ServiceEnvironment, running: Running) -> AsyncIterator[InProcess]:
    """A transport to an edge; its only neighbour that answers is auth."""
    apps = {"auth": auth.main.create_app(service_environment("auth"))}
    transports = {
        name: InProcess(apps, name) for name in ("auth", "content", "scheduler", "publisher", "metrics", "retention")
    }
    gateway = create_app(service_environment("gateway"), transports=transports)
    async with running(apps["auth"]), running(gateway):
        yield InProcess({"gateway": gateway}, "gateway")


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """The folder that auth's letters arrive in."""
    return tmp_path / "mail"


def browser(edge: InProcess) -> httpx.AsyncClient:
    headers = {"Origin": "http://signoff.example", "Sec-Fetch-Site": "same-origin"}
    return httpx.AsyncClient(transport=edge, base_url="http://signoff.example", headers=headers)


async def sign_in(client: httpx.AsyncClient, person: dict[str, str], mail: Path) -> None:
    assert (await client.post("/api/accounts", json=person | DETAILS)).status_code == 202

    def token() -> str | None:
        return token_of(mail, "verify_address", person["email"])

    proof = {"token": await wait_for(token)}
    assert (await client.post("/api/accounts/verifications", json=proof)).status_code == 200
    assert (await client.post("/api/session", json=person)).status_code == 201


async def test_a_session_from_sign_up_to_sign_out(edge: InProcess, mail: Path):
    async with browser(edge) as owner:
        await sign_in(owner, OWNER, mail)
        assert (await owner.get("/api/account")).json()["email"] == OWNER["email"]
        token = owner.cookies["signoff_session"]
        assert (await owner.delete("/api/session")).status_code == 204
        assert "signoff_session" not in owner.cookies
        stolen = await owner.get("/api/account", headers={"Cookie": f"signoff_session={token}"})
    assert stolen.status_code == 401


async def test_a_second_factor_comes_before_the_cookie(edge: InProcess, clock: MovableClock, mail: Path):
    app = "/api/account/authenticator-app"
    async with browser(edge) as owner, browser(edge) as again:
        await sign_in(owner, OWNER, mail)
        secret = pyotp.TOTP((await owner.post(app)).json()["secret"])
        before = owner.cookies["signoff_session"]
        enrolled = await owner.post(f"{app}/confirmation", json={"code": secret.at(clock.now())})
        assert enrolled.status_code == 201
        assert enrolled.json().keys() == {"account_id", "expires_at", "recovery_codes"}
        assert owner.cookies["signoff_session"] != before
        assert (await owner.get("/api/account")).status_code == 200
        half = await again.post("/api/session", json=OWNER)
        assert half.status_code == 200
        assert "set-cookie" not in half.headers
        assert (await again.get("/api/account")).status_code == 401
        clock.advance(timedelta(seconds=30))
        proof = {"pending": half.json()["second_factor"]["pending"], "code": secret.at(clock.now())}
        assert (await again.post("/api/session/second-factor", json=proof)).status_code == 201
        assert (await again.get("/api/account")).status_code == 200


@pytest.mark.promise("P08")
async def test_what_a_browser_claims_about_its_address_is_not_believed(edge: InProcess, mail: Path):
    async with browser(edge) as owner:
        owner.headers["X-Forwarded-For"] = "192.0.2.99"
        await sign_in(owner, OWNER, mail)
        [session] = (await owner.get("/api/account/sessions")).json()["sessions"]
        [event] = (await owner.get("/api/account/security-events")).json()["events"]
    assert session["client_address"] == event["client_address"] == "127.0.0.1"
    assert event["user_agent"] == owner.headers["user-agent"]


@pytest.mark.promise("P11")
async def test_a_workspace_is_closed_to_others(edge: InProcess, mail: Path):
    async with browser(edge) as owner, browser(edge) as other:
        await sign_in(owner, OWNER, mail)
        await sign_in(other, OTHER, mail)
        workspace_id = (await owner.post("/api/workspaces", json=WORKSPACE)).json()["workspace_id"]
        path = f"/api/workspaces/{workspace_id}/members"
        assert (await owner.get(path)).status_code == 200
        assert (await other.get(path)).status_code == 404
        invitations = f"/api/workspaces/{workspace_id}/invitations"
        assert (await owner.post(invitations, json={"email": OTHER["email"], "role": "viewer"})).status_code == 201
        token = await wait_for(lambda: token_of(mail, "invitation", OTHER["email"]))
        assert (await other.post("/api/invitations/acceptances", json={"token": token})).status_code == 201
        assert (await other.get(path)).status_code == 200
        assert (await other.post(invitations, json={"email": OTHER["email"], "role": "owner"})).status_code == 403


async def test_a_session_ends_with_time(edge: InProcess, mail: Path, clock: MovableClock):
    async with browser(edge) as owner:
        await sign_in(owner, OWNER, mail)
        assert (await owner.get("/api/account")).status_code == 200
        clock.advance(timedelta(days=31))
        assert (await owner.get("/api/account")).status_code == 401


async def test_auths_own_refusal_is_seen_as_it_is(edge: InProcess):
    async with browser(edge) as owner:
        answer = await owner.post("/api/accounts", json=OWNER | DETAILS | {"age_attested": "yes"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == "/age_attested"
