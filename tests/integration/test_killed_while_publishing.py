"""Any service may die in the middle of a publication: the post is out exactly once, and everybody knows it.

auth may die in the middle of a renewal: the connection goes on, or says that it needs a person.

The system runs with a process for each service, and is killed for real. What the sandbox's platforms truly
have is compared with what they should have.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from kit.testing import wait_for
from sandbox.consent import give_consent
from signoff.demo.media import make_image, make_video
from signoff.demo.person import Person
from signoff.split import Split

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAST_STEPS = {"tiktok": "PUT /video/", "bluesky": "POST /xrpc/com.atproto.repo.putRecord"}
"""The requests that make a post visible."""

HELD_SECONDS = 1.5
"""How long the platform takes over the last step: the service dies within this time."""

numbers = itertools.count(1)


@dataclass
class Room:
    """A workspace with both connections and the media of its posts."""

    system: Split
    owner: Person
    path: str
    connections: dict[str, str]
    media: dict[str, str]

    async def schedule(self, text: str) -> str:
        """Write, submit and approve a post for both connections and let it be due now; returns the schedule's id."""
        post = await self.owner.ask("POST", f"{self.path}/posts", expect=201, json=self._body(text))
        at, revision = f"{self.path}/posts/{post['post_id']}", {"revision_id": post["revision_id"]}
        await self.owner.ask("POST", f"{at}/submission", json=revision)
        await self.owner.ask("POST", f"{at}/approval", json=revision)
        wish = {"post_id": post["post_id"], "connection_ids": list(self.connections.values()), "time_zone": "UTC"}
        made = await self.owner.ask("POST", f"{self.path}/schedules", expect=201, json=wish | revision)
        return str(made["schedule_id"])

    def _body(self, text: str) -> dict[str, Any]:
        settings = {"tiktok": {"privacy_level": "PUBLIC_TO_EVERYONE"}, "bluesky": {"langs": ["en"]}}
        variants = [
            {
                "connection_id": connection_id,
                "text": text,
                "media": [{"media_id": self.media[platform], "alt_text": "a sunrise"}],
                "settings": settings[platform],
            }
            for platform, connection_id in self.connections.items()
        ]
        return {"title": text, "variants": variants}

    async def published(self, schedule_id: str) -> list[dict[str, Any]]:
        """The schedule's publications once each of them is published; fails early if one ended otherwise."""
        answer = await self.owner.http.get(f"{self.path}/publications", params={"schedule_id": schedule_id})
        if answer.status_code >= 500:
            return []  # a service that the gateway needs is just coming back
        found: list[dict[str, Any]] = answer.json()["publications"]
        states = [entry["state"] for entry in found]
        assert not {"failed", "needs_attention", "cancelled"} & set(states), states
        return found if states == ["published"] * len(self.connections) else []

    def truth(self, platform: str, text: str) -> list[int]:
        """How often each post with this text was written at the platform; `[1]` is right."""
        assert self.system.sandbox is not None
        return [post.writes for post in self.system.sandbox.truth.posts(platform) if post.text == text]

    def asked(self) -> int:
        """How often a last step was asked of the platforms."""
        assert self.system.sandbox is not None
        return sum(self.system.sandbox.requests(platform, route) for platform, route in LAST_STEPS.items())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(server_folder: Path) -> AsyncIterator[Room]:
    async with Split(server_folder / "split", sandbox=True) as system:
        assert system.sandbox is not None
        # Every round posts anew: the platform's daily cap is not what is tested here.
        system.sandbox.tuning.daily_posts_max, system.sandbox.tuning.rate_limits = 1_000, False
        async with Person("owner", "owner@example.com", system.gateway_url) as owner:
            yield await _furnish(system, owner)


async def _furnish(system: Split, owner: Person) -> Room:
    await owner.sign_up(system.surroundings.installation.mail, time_zone="UTC")
    await owner.sign_in()
    made = await owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Kill", "time_zone": "UTC"})
    room = Room(system, owner, f"/api/workspaces/{made['workspace_id']}", {}, {})
    for platform in LAST_STEPS:
        room.connections[platform] = await _connect(room, platform)
    for platform, content_type, data in (
        ("tiktok", "video/mp4", make_video()),
        ("bluesky", "image/jpeg", make_image()),
    ):
        headers = {"Content-Type": content_type}
        stored = await owner.ask("POST", f"{room.path}/media", expect=201, content=data, headers=headers)
        room.media[platform] = stored["media_id"]
    return room


async def _connect(room: Room, platform: str) -> str:
    wish = {"platform": platform} | ({"handle": "brand.test"} if platform == "bluesky" else {})
    started = await room.owner.ask("POST", f"{room.path}/connections/authorisations", expect=201, json=wish)
    callback = await give_consent(room.owner.http, started["authorisation_url"])
    connection = await room.owner.ask("GET", callback.removeprefix(room.system.gateway_url))
    return str(connection["connection_id"])


async def _publish_while_killing(room: Room, service: str, *, moment: str) -> str:
    """Kill the service while the platforms hold the last step, before or after its effect; returns the text."""
    assert room.system.sandbox is not None
    text = f"post {next(numbers)} {uuid.uuid4().hex[:8]}"
    for platform, route in LAST_STEPS.items():
        room.system.sandbox.add_fault(platform, f"{route}*", moment, delay_seconds=HELD_SECONDS)
    asked = room.asked()
    schedule_id = await room.schedule(text)
    await wait_for(lambda: room.asked() > asked, 30, what="the last step")
    await room.system.kill(service)
    await room.system.restart(service)
    await wait_for(lambda: room.published(schedule_id), 90, what=f"both publications after {service} was killed")
    return text


@pytest.mark.promise("P43")
@pytest.mark.parametrize("service", ["publisher", "auth", "content", "scheduler", "metrics", "retention", "gateway"])
async def test_a_service_killed_while_the_platform_works_costs_no_post_and_makes_none_twice(room: Room, service: str):
    text = await _publish_while_killing(room, service, moment="delay")
    for platform in LAST_STEPS:
        assert room.truth(platform, text) == [1]


@pytest.mark.promise("P43")
async def test_a_publisher_killed_after_the_effect_finds_the_post_and_does_not_repeat_it(room: Room):
    """The platform has done it and the answer is lost together with who waited for it."""
    text = await _publish_while_killing(room, "publisher", moment="delay_after")
    for platform in LAST_STEPS:
        assert room.truth(platform, text) == [1]


@pytest.mark.promise("P43")
async def test_a_publisher_killed_before_the_effect_posts_once_after_it_is_back(room: Room):
    """The platform never got the last step: it reset the connection, and then the publisher died too."""
    text = await _publish_while_killing(room, "publisher", moment="reset_before")
    for platform in LAST_STEPS:
        assert room.truth(platform, text) == [1]


@pytest.mark.promise("P43")
async def test_a_clock_that_moved_while_a_service_was_down_loses_no_post(room: Room):
    """Due while the scheduler is dead: out as soon as it is back, once."""
    text = f"post {next(numbers)} {uuid.uuid4().hex[:8]}"
    await room.system.kill("scheduler")
    room.system.clock.advance(timedelta(seconds=1))
    await room.system.restart("scheduler")
    schedule_id = await room.schedule(text)
    await room.system.kill("scheduler")
    room.system.clock.advance(timedelta(minutes=1))
    await room.system.restart("scheduler")
    await wait_for(lambda: room.published(schedule_id), 90, what="both publications")
    for platform in LAST_STEPS:
        assert room.truth(platform, text) == [1]


RENEWALS = {
    "tiktok": ("POST /v2/oauth/token/", "reauth_required"),
    "x": ("POST /2/oauth2/token", "reauth_required"),
    "youtube": ("POST /token", "active"),
    "bluesky": ("POST /oauth/token", "reauth_required"),
}
"""Where each renews, and what is left when its answer is lost: only Google goes on taking the refresh token it had."""

NONCE_ASKED = {"bluesky": 1}
"""Bluesky refuses the first request, because the nonce of an hour ago is over; the second one renews."""


@pytest.mark.promise("P25")
async def test_a_connection_whose_renewal_was_lost_goes_on_or_needs_a_person_but_never_dies_in_silence(room: Room):
    """The platform has rotated the tokens, and auth dies between that and its own commit."""
    sandbox = room.system.sandbox
    assert sandbox is not None
    for platform in ("x", "youtube"):
        await _connect(room, platform)
    wanted = {}
    for platform, (route, _) in RENEWALS.items():
        beside = NONCE_ASKED.get(platform, 0)
        wanted[platform] = sandbox.requests(platform, route) + beside + 1
        sandbox.add_fault(platform, route, "delay_after", delay_seconds=30, skip=beside)
    room.system.clock.advance(timedelta(hours=1, minutes=50))

    def rotated() -> bool:
        return all(sandbox.requests(platform, RENEWALS[platform][0]) >= count for platform, count in wanted.items())

    await wait_for(rotated, 30, what="every renewal")
    await room.system.kill("auth")
    room.system.clock.advance(timedelta(minutes=2))
    await room.system.restart("auth")
    expected = {platform: state for platform, (_, state) in RENEWALS.items()}

    async def settled() -> bool:
        shown = (await room.owner.ask("GET", f"{room.path}/connections"))["connections"]
        renewed = sandbox.requests("youtube", RENEWALS["youtube"][0]) > wanted["youtube"]
        return renewed and {each["platform"]: each["state"] for each in shown} == expected

    await wait_for(settled, 60, what="an end of every renewal")
