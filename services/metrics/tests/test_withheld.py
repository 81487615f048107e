"""Where a platform refuses to tell numbers, members are told why: by LinkedIn's real client, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from kit.calls import InProcess
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import TrustedKeys
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.services import Bus, MakePassport, Running, ServiceEnvironment
from metrics.main import create_app
from platforms.environment import OfferedPlatforms
from platforms.http import create_http_client
from platforms.registry import register
from platforms.shape import Call, ClientCredentials, Delivery, PlatformName
from sandbox.consent import callback_parameters, give_consent
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.linkedin.state import Organisation
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from services.metrics.tests.conftest import Lender, MakePublished

PAGE = Organisation("brand-two", "Brand Two")
"""Of this page the sandbox's person may post, but is no administrator."""


async def connected_page(offered: OfferedPlatforms, clock: MovableClock, auth: Lender) -> str:
    """Connect the page, post to it, and have auth lend its grant; the post's id."""
    linkedin, credentials = offered.platforms[PlatformName.LINKEDIN], offered.credentials[PlatformName.LINKEDIN]
    async with create_http_client(offered.allowed_hosts) as http:
        started = await linkedin.authorise(http, credentials, state="state-1", handle=None, clock=clock)
        callback = callback_parameters(await give_consent(http, started.url))
        grant = await linkedin.exchange(http, credentials, callback=callback, kept=started.kept, clock=clock)
        auth.grant = await linkedin.act_for(Call(http, clock, grant), PAGE.urn)
        auth.platform = "linkedin"
        journal = MemoryJournal()
        delivery = Delivery(new_id(), clock.now(), "Fresh paint", (), {})
        await linkedin.publish(Call(http, clock, auth.grant), delivery, journal)
    return str(journal.facts["post_urn"])


@pytest.mark.promise("P51")
async def test_members_are_told_why_a_page_has_no_numbers_until_it_has_some(
    service_environment: ServiceEnvironment,
    bus: Bus,
    clock: MovableClock,
    running: Running,
    keys_folder: Path,
    published: MakePublished,
    passport: MakePassport,
):
    auth = Lender(TrustedKeys.load(keys_folder / "trusted.jwks.json"), clock)
    async with Sandbox(clock=clock, only=["linkedin"]) as sandbox:
        registered = register(sandbox.base_urls)
        credentials = ClientCredentials(
            "sandbox-client-id", Secret("sandbox-client-secret"), "http://127.0.0.1:8000/callback"
        )
        named = {PlatformName.LINKEDIN: registered.platforms[PlatformName.LINKEDIN]}
        offered = OfferedPlatforms(named, {PlatformName.LINKEDIN: credentials}, registered.allowed_hosts)
        event = published(platform="linkedin", platform_post_id=await connected_page(offered, clock, auth))
        transports = {"auth": InProcess({"auth": auth.app()}, "auth")}
        app = create_app(service_environment("metrics"), transports=transports, offered=offered)
        async with running(app) as client:
            place = f"/api/workspaces/{event.workspace_id}"

            async def told() -> tuple[list[object], bool]:
                """What both addresses say, and whether there are numbers."""
                headers = passport(workspace_id=event.workspace_id)
                every = (await client.get(f"{place}/metrics", headers=headers)).json()["publications"]
                one = (await client.get(f"{place}/publications/{event.publication_id}/metrics", headers=headers)).json()
                return [one.get("withheld"), *(each["withheld"] for each in every)], bool(one.get("snapshots"))

            async def refused() -> bool:
                reasons, counted = await told()
                return not counted and [each and each["code"] for each in reasons] == ["statistics-denied"] * 2  # type: ignore[index]

            await bus.publish(event)
            await wait_for(refused)
            (reason, again), _ = await told()
            assert reason == again
            assert isinstance(reason, dict)
            assert reason["detail"].startswith("The platform shows statistics to the page's administrators only")
            assert reason["advice"] == "Have an administrator of the page connect it."
            assert auth.dead == []
            (person,) = (each for each in sandbox.of(LinkedInSandbox).state.people.values() if each.roles)
            person.roles[PAGE.number] = "ADMINISTRATOR"
            clock.advance(timedelta(minutes=1))

            async def counted() -> bool:
                return await told() == ([None, None], True)

            await wait_for(counted)
