"""Who leaves at the platform has left here: a signed word through the gateway ends tokens, in time what they brought.

Every service runs; the sandboxes tell the one address that listens, as the platforms would.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.testing import wait_for
from kit.testing.services import Bus, ServiceEnvironment
from sandbox.consent import give_consent
from sandbox.instagram.platform import InstagramSandbox
from signoff.demo.person import Person
from signoff.installation import DATABASES
from signoff.one_process import OneProcess


@pytest.fixture
def environment(service_environment: ServiceEnvironment, nats_url: str) -> dict[str, str]:
    """The servers of the test session, and Instagram among the platforms; TikTok is offered with every sandbox."""
    values = {
        "NATS_URL": nats_url,
        "PLATFORM_CLIENT_ID_INSTAGRAM": "sandbox-client-id",
        "PLATFORM_CLIENT_SECRET_INSTAGRAM": "sandbox-client-secret",
    }
    for service in DATABASES:
        values |= {name: value for name, value in service_environment(service).items() if name.startswith("DATABASE_")}
    return values


def point_webhooks(system: OneProcess) -> None:
    """What an operator enters in each platform's developer portal."""
    assert system.sandbox is not None
    webhooks = f"{system.gateway_url}/webhooks"
    for tiktok in system.sandbox.tiktok.state.clients.values():
        tiktok.webhook_url = f"{webhooks}/tiktok"
    for instagram in system.sandbox.of(InstagramSandbox).state.clients.values():
        instagram.deauthorise_url = f"{webhooks}/instagram/deauthorise"
        instagram.deletion_url = f"{webhooks}/instagram/data-deletion"


async def connect(owner: Person, path: str, platform: str) -> str:
    started = await owner.ask("POST", f"{path}/connections/authorisations", expect=201, json={"platform": platform})
    callback = await give_consent(owner.http, started["authorisation_url"])
    connection = await owner.ask("GET", callback.removeprefix(str(owner.http.base_url).rstrip("/")))
    connection_id: str = connection["connection_id"]
    return connection_id


@pytest.mark.promise("P27")
@pytest.mark.promise("P61")
async def test_who_leaves_at_the_platform_has_left_here(bus: Bus, environment: dict[str, str], tmp_path: Path):
    async with (
        OneProcess(tmp_path / "data", sandbox=True, environment=environment) as system,
        Person("owner", "owner@example.com", system.gateway_url) as owner,
    ):
        assert system.sandbox is not None
        point_webhooks(system)
        await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
        await owner.sign_in()
        made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Doors", "time_zone": "UTC"})
        path = f"/api/workspaces/{made['workspace_id']}"
        gone = {await connect(owner, path, platform) for platform in ("tiktok", "instagram")}

        instagram = system.sandbox.of(InstagramSandbox)
        instagram.withdraw(next(iter(instagram.state.accounts)), delete=True)
        for held in system.sandbox.tiktok.state.grants:
            system.sandbox.tiktok.withdraw(held.open_id)

        async def ended() -> list[dict[str, Any]]:
            found = (await owner.ask("GET", f"{path}/connections/ended"))["connections"]
            return found if len(found) == len(gone) else []

        shown = await wait_for(ended, 30, what="both connections to end")
        assert {each["connection_id"] for each in shown} == gone
        assert {(each["reason"], each["platform_confirmed"]) for each in shown} == {("platform", None)}
        assert (await owner.ask("GET", f"{path}/connections"))["connections"] == []

        document = await deletion_answer(instagram)
        assert document["url"] == f"{system.gateway_url}/deletions/{document['confirmation_code']}"

        async def page_says(text: str) -> bool:
            answer = await owner.http.get(document["url"], headers={"Cookie": ""})
            assert answer.status_code == 200
            return text in answer.text

        assert await page_says("will be deleted by")

        async def states() -> list[str]:
            found = [await owner.find(f"/api/erasures/{each['erasure_id']}") for each in shown]
            return [each["state"] for each in found if each]

        async def reached(*wanted: str) -> bool:
            found = await states()
            return len(found) == len(shown) and set(found) <= set(wanted)

        await wait_for(lambda: reached("scheduled"), 30, what="the erasures")
        # The policy's day 29; a day is left of what is promised.
        system.clock.advance(timedelta(days=29, minutes=1))

        await wait_for(lambda: reached("done", "final"), 30, what="the erasures to be done")
        await wait_for(lambda: page_says("deleted on"), 30, what="the page to say so")


async def deletion_answer(instagram: InstagramSandbox) -> dict[str, Any]:
    """What Instagram was answered to the request for deletion."""

    def told() -> list[bytes]:
        return [body for status, body in instagram.state.webhooks.answers if status == 200 and body]

    document: dict[str, Any] = json.loads((await wait_for(told, what="the answer to the request for deletion"))[0])
    return document
