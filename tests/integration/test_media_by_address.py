"""A platform that fetches media by itself gets exactly what was approved, through the gateway, and no trace shows how.

Every service runs; the sandboxes of Instagram and TikTok fetch over real HTTP from the one address that listens.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.testing import wait_for
from kit.testing.collector import Collector
from kit.testing.services import Bus, ServiceEnvironment
from sandbox.consent import give_consent
from signoff.demo.media import make_image
from signoff.demo.person import Person
from signoff.installation import DATABASES
from signoff.one_process import OneProcess

AHEAD = timedelta(minutes=30)
SETTINGS: dict[str, dict[str, str]] = {"instagram": {}, "tiktok": {"privacy_level": "PUBLIC_TO_EVERYONE"}}


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


async def connect(owner: Person, path: str, platform: str) -> str:
    """A connected account, as a person would connect it."""
    started = await owner.ask("POST", f"{path}/connections/authorisations", expect=201, json={"platform": platform})
    callback = await give_consent(owner.http, started["authorisation_url"])
    connection = await owner.ask("GET", callback.removeprefix(str(owner.http.base_url).rstrip("/")))
    connection_id: str = connection["connection_id"]
    return connection_id


async def plan(owner: Person, system: OneProcess) -> tuple[str, str]:
    """An approved image post, scheduled to both platforms; returns the workspace's path and the image's digest."""
    await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
    await owner.sign_in()
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Doors", "time_zone": "UTC"})
    path = f"/api/workspaces/{made['workspace_id']}"
    connections = [await connect(owner, path, platform) for platform in SETTINGS]
    headers = {"Content-Type": "image/jpeg"}
    image = await owner.ask("POST", f"{path}/media", expect=201, content=make_image(), headers=headers)
    said = {"text": "A door", "media": [{"media_id": image["media_id"]}]}
    variants = [
        said | {"connection_id": connection, "settings": settings}
        for connection, settings in zip(connections, SETTINGS.values(), strict=True)
    ]
    post = await owner.ask("POST", f"{path}/posts", expect=201, json={"title": "Door", "variants": variants})
    revision = {"revision_id": post["revision_id"]}
    for step in ("submission", "approval"):
        await owner.ask("POST", f"{path}/posts/{post['post_id']}/{step}", json=revision)
    wish: dict[str, Any] = revision | {"post_id": post["post_id"], "time_zone": "UTC"}
    wish |= {"connection_ids": connections, "at": f"{system.clock.now() + AHEAD:%Y-%m-%dT%H:%M:%S}"}
    await owner.ask("POST", f"{path}/schedules", expect=201, json=wish)
    return path, image["sha256"]


async def test_a_platform_fetches_what_was_approved(bus: Bus, environment: dict[str, str], tmp_path: Path):
    with Collector() as collector:
        async with (
            OneProcess(
                tmp_path / "data",
                sandbox=True,
                environment=environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
            ) as system,
            Person("owner", "owner@example.com", system.gateway_url) as owner,
        ):
            path, sha256 = await plan(owner, system)

            async def reached(state: str) -> bool:
                found = (await owner.ask("GET", f"{path}/publications"))["publications"]
                system.clock.advance(timedelta(seconds=2))
                assert all(publication["state"] != "failed" for publication in found), found
                return [publication["state"] for publication in found] == [state] * len(SETTINGS)

            await wait_for(lambda: reached("planned"), what="the plan")
            system.clock.advance(AHEAD - timedelta(minutes=5))
            await wait_for(lambda: reached("staged"), 30, what="staging")
            system.clock.advance(timedelta(minutes=5))
            await wait_for(lambda: reached("published"), 30, what="the post")
            assert system.sandbox is not None
            for platform in SETTINGS:
                (post,) = system.sandbox.truth.posts(platform)
                assert [media.sha256 for media in post.media] == [sha256]
        spans = b"".join(collector.bodies)
    assert b"GET /media/{token}" in spans
    assert b"/media/eyJ" not in spans
