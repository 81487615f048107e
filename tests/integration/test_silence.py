"""After the answer to a disconnect no call with its token begins, however much is on its way to the platform.

Every service runs. What begins when is judged by the sandbox's own record of arrivals.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from contracts.scheduler import ScheduleCreatedV1, ScheduleDueV1
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus, ServiceEnvironment
from PIL import Image
from sandbox.consent import give_consent
from signoff.demo.person import Person
from signoff.installation import DATABASES
from signoff.one_process import OneProcess

PUBLICATIONS = 200
UPLOAD, VISIBLE = "POST /xrpc/com.atproto.repo.uploadBlob", "POST /xrpc/com.atproto.repo.putRecord"
HELD_SECONDS = 0.08
"""How late the platform answers about an image: somebody is always between two calls of one lease."""

COLOURS = ("red", "green", "blue", "white")


@pytest.fixture
def environment(service_environment: ServiceEnvironment, nats_url: str) -> dict[str, str]:
    """The servers of the test session."""
    values = {"NATS_URL": nats_url}
    for service in DATABASES:
        values |= {name: value for name, value in service_environment(service).items() if name.startswith("DATABASE_")}
    return values


async def furnish(owner: Person, system: OneProcess) -> tuple[str, str]:
    """A workspace with a connection; both ids."""
    await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
    await owner.sign_in()
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Farewell", "time_zone": "UTC"})
    path = f"/api/workspaces/{made['workspace_id']}/connections/authorisations"
    started = await owner.ask("POST", path, expect=201, json={"platform": "bluesky", "handle": "brand.test"})
    callback = await give_consent(owner.http, started["authorisation_url"])
    connection = await owner.ask("GET", callback.removeprefix(system.gateway_url))
    return made["workspace_id"], connection["connection_id"]


async def approved(owner: Person, path: str, connection_id: str) -> dict[str, str]:
    """A post of several images for one connection, approved as it is."""
    media = []
    for colour in COLOURS:
        image = io.BytesIO()
        Image.new("RGB", (64, 64), colour).save(image, "PNG")
        headers = {"Content-Type": "image/png"}
        stored = await owner.ask("POST", f"{path}/media", expect=201, content=image.getvalue(), headers=headers)
        media.append({"media_id": stored["media_id"], "alt_text": colour})
    variant = {"connection_id": connection_id, "text": "Colours", "media": media, "settings": {"langs": ["en"]}}
    post = await owner.ask("POST", f"{path}/posts", expect=201, json={"title": "Farewell", "variants": [variant]})
    revision: dict[str, str] = {"post_id": post["post_id"], "revision_id": post["revision_id"]}
    for step in ("submission", "approval"):
        address = f"{path}/posts/{revision['post_id']}/{step}"
        await owner.ask("POST", address, json={"revision_id": revision["revision_id"]})
    return revision


async def tell_due(bus: Bus, system: OneProcess, workspace_id: str, post: dict[str, str], connection_id: str) -> None:
    """The scheduler's word on so many plans of one post, all of them due now."""
    for _ in range(PUBLICATIONS):
        plan: dict[str, Any] = {
            "workspace_id": UUID(workspace_id),
            "schedule_id": new_id(),
            "occurrence": 1,
            "post_id": UUID(post["post_id"]),
            "revision_id": UUID(post["revision_id"]),
            "connection_ids": (UUID(connection_id),),
            "due_at": system.clock.now(),
        }
        await bus.publish(ScheduleCreatedV1(**plan))
        await bus.publish(ScheduleDueV1(**plan))


def open_publications(superuser: psycopg.Connection[Any]) -> int:
    """How many of them have no end yet; those not heard of count too."""
    query = "SELECT count(*) FROM publication WHERE state IN ('published', 'cancelled', 'needs_attention')"
    (ended,) = superuser.execute(query).fetchone() or (0,)
    return PUBLICATIONS - int(ended)


@pytest.mark.promise("P24")
@pytest.mark.promise("P26")
async def test_no_call_begins_after_the_answer_to_a_disconnect(bus: Bus, environment: dict[str, str], tmp_path: Path):
    async with (
        OneProcess(tmp_path / "data", sandbox=True, environment=environment) as system,
        Person("owner", "owner@example.com", system.gateway_url) as owner,
    ):
        sandbox = system.sandbox
        assert sandbox is not None
        sandbox.tuning.rate_limits = False
        workspace_id, connection_id = await furnish(owner, system)
        path = f"/api/workspaces/{workspace_id}"
        post = await approved(owner, path, connection_id)
        sandbox.add_fault(
            "bluesky", UPLOAD, "delay_after", delay_seconds=HELD_SECONDS, times=PUBLICATIONS * len(COLOURS)
        )
        # The platform would go on taking the token: what is silent then is silent because of us.
        sandbox.add_fault("bluesky", "POST /oauth/revoke", "reset_before", times=2)
        await tell_due(bus, system, workspace_id, post, connection_id)
        await wait_for(lambda: sandbox.requests("bluesky", VISIBLE), 30, what="the first post, with others behind it")
        ended = await owner.ask("DELETE", f"{path}/connections/{connection_id}")
        answered_at = time.monotonic()
        assert ended["platform_confirmed"] is False

        with psycopg.connect(environment["DATABASE_SUPERUSER_URL_PUBLISHER"], autocommit=True) as superuser:
            await wait_for(lambda: open_publications(superuser) == 0, 30, what="an end of every publication")
        late = [arrival for arrival in sandbox.arrivals("bluesky") if arrival.at >= answered_at]
        published = len(sandbox.truth.posts("bluesky"))
    assert late == []
    assert 1 <= published < PUBLICATIONS
