"""One trace: from the request that schedules a post, over outbox, bus and a waiting row, to the platform's API.

Every service runs, exports to a collector, and is told apart there by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.testing import wait_for
from kit.testing.collector import Collector, SeenSpan
from kit.testing.services import Bus, ServiceEnvironment
from sandbox.consent import give_consent
from signoff.demo.media import make_image
from signoff.demo.person import Person
from signoff.installation import DATABASES
from signoff.one_process import OneProcess

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID, CALLERS_SPAN = CALLER.split("-")[1:3]

AHEAD = timedelta(minutes=30)
TEXT = "The sun comes up. So do we."


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def environment(service_environment: ServiceEnvironment, nats_url: str, collector: Collector) -> dict[str, str]:
    """The servers of the test session, and the collector."""
    values = {"NATS_URL": nats_url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    for service in DATABASES:
        values |= {name: value for name, value in service_environment(service).items() if name.startswith("DATABASE_")}
    return values


async def furnish(owner: Person, system: OneProcess) -> tuple[str, str]:
    """A workspace with a connection; returns its path and the connection's id."""
    await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
    await owner.sign_in()
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Trace", "time_zone": "UTC"})
    path = f"/api/workspaces/{made['workspace_id']}"
    wish = {"platform": "bluesky", "handle": "brand.test"}
    started = await owner.ask("POST", f"{path}/connections/authorisations", expect=201, json=wish)
    callback = await give_consent(owner.http, started["authorisation_url"])
    connection = await owner.ask("GET", callback.removeprefix(str(owner.http.base_url).rstrip("/")))
    return path, connection["connection_id"]


async def approve(owner: Person, path: str, connection_id: str) -> dict[str, str]:
    """An approved post with an image; returns what a schedule names."""
    headers = {"Content-Type": "image/jpeg"}
    image = await owner.ask("POST", f"{path}/media", expect=201, content=make_image(), headers=headers)
    media = [{"media_id": image["media_id"], "alt_text": "a sunrise"}]
    variant = {"connection_id": connection_id, "text": TEXT, "media": media, "settings": {"langs": ["en"]}}
    post = await owner.ask("POST", f"{path}/posts", expect=201, json={"title": "Sunrise", "variants": [variant]})
    revision = {"revision_id": post["revision_id"]}
    for step in ("submission", "approval"):
        await owner.ask("POST", f"{path}/posts/{post['post_id']}/{step}", json=revision)
    return revision | {"post_id": post["post_id"]}


async def publish(system: OneProcess, owner: Person, path: str, wish: dict[str, Any]) -> None:
    """Schedule in a trace of the caller's, and let the time pass until the post is out."""
    await owner.ask("POST", f"{path}/schedules", expect=201, json=wish, headers={"traceparent": CALLER})

    async def reached(state: str) -> bool:
        found = (await owner.ask("GET", f"{path}/publications"))["publications"]
        return [publication["state"] for publication in found] == [state]

    await wait_for(lambda: reached("planned"), what="the plan")
    system.clock.advance(AHEAD - timedelta(minutes=5))
    await wait_for(lambda: reached("staged"), what="staging")
    system.clock.advance(timedelta(minutes=5))
    await wait_for(lambda: reached("published"), what="the post")


def way_to(call: SeenSpan, collector: Collector) -> list[tuple[str, str]]:
    """From the request to a span: whose each span is, and its name."""
    return [(span.service, span.name) for span in reversed(collector.ancestry(call))]


ASKED = [
    ("gateway", "POST /api/workspaces/{workspace_id}/schedules"),
    ("gateway", "POST scheduler"),
    ("scheduler", "POST /api/workspaces/{workspace_id}/schedules"),
]
STAGED = [
    *ASKED,
    ("scheduler", "publish schedule.created.v1"),
    ("publisher", "process schedule.created.v1"),
    ("publisher", "stage publication"),
    ("publisher", "POST bluesky"),
]
PUBLISHED = [
    *ASKED,
    ("scheduler", "announce schedule"),
    ("scheduler", "publish schedule.due.v1"),
    ("publisher", "process schedule.due.v1"),
    ("publisher", "publish publication"),
    ("publisher", "POST bluesky"),
]


async def test_a_request_and_the_platform_calls_it_leads_to_are_one_trace(
    bus: Bus, environment: dict[str, str], collector: Collector, tmp_path: Path
):
    async with (
        OneProcess(tmp_path / "data", sandbox=True, environment=environment) as system,
        Person("owner", "owner@example.com", system.gateway_url) as owner,
    ):
        path, connection_id = await furnish(owner, system)
        approved = await approve(owner, path, connection_id)
        wish = {"connection_ids": [connection_id], "time_zone": "UTC"}
        at = f"{system.clock.now() + AHEAD:%Y-%m-%dT%H:%M:%S}"
        await publish(system, owner, path, approved | wish | {"at": at})
        assert system.sandbox is not None
        (session,) = system.sandbox.bluesky.state.sessions

        def whole() -> list[SeenSpan]:
            """The trace, once what was done is in it and every span leads back to the caller's."""
            found = [span for span in collector.spans if span.trace_id == TRACE_ID]
            roots = {collector.ancestry(span)[-1].parent_id for span in found}
            done = {"publish publication", "process publication.published.v1"} <= {span.name for span in found}
            return found if done and roots == {CALLERS_SPAN} else []

        trace = await wait_for(whole, what="the whole trace")
    calls = [span for span in trace if span.name.endswith(" bluesky")]
    assert {span.kind for span in calls} == {"client"}
    assert {tuple(way_to(call, collector)) for call in calls} == {tuple(STAGED), tuple(PUBLISHED)}
    assert {collector.ancestry(span)[-1].name for span in trace} == {ASKED[0][1]}
    assert {"gateway", "scheduler", "publisher", "content", "auth"} <= {span.service for span in trace}
    everything = b"".join(collector.bodies)
    ids = {path.rpartition("/")[2], connection_id, *approved.values()}
    for private in {session.access_token, TEXT, owner.email, "brand.test"} | ids:
        assert private.encode() not in everything
