"""A calendar in the running system, judged by what the platform truly has: stopped, moved and repeated posts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.testing import wait_for
from kit.testing.services import Bus, ServiceEnvironment
from signoff.demo.person import Person
from signoff.installation import DATABASES
from signoff.one_process import OneProcess

from tests.integration.test_one_trace import furnish

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def environment(service_environment: ServiceEnvironment, nats_url: str) -> dict[str, str]:
    """The servers of the test session."""
    values = {"NATS_URL": nats_url}
    for service in DATABASES:
        values |= {name: value for name, value in service_environment(service).items() if name.startswith("DATABASE_")}
    return values


class Desk:
    """A person in a workspace with one connection."""

    def __init__(self, system: OneProcess, owner: Person, path: str, connection_id: str) -> None:
        self.system = system
        self.owner = owner
        self.path = path
        self.connection_id = connection_id

    def wall_clock(self, ahead: timedelta) -> str:
        """So much later, on a clock in UTC."""
        return (self.system.clock.now() + ahead).replace(tzinfo=None).isoformat(timespec="seconds")

    async def plan(self, kind: str, text: str, **when: Any) -> dict[str, Any]:
        """Write, submit and approve a post, and schedule or repeat it."""
        variant = {"connection_id": self.connection_id, "text": text, "media": [], "settings": {"langs": ["en"]}}
        body = {"title": text, "variants": [variant]}
        post = await self.owner.ask("POST", f"{self.path}/posts", expect=201, json=body)
        revision = {"revision_id": post["revision_id"]}
        for step in ("submission", "approval"):
            await self.owner.ask("POST", f"{self.path}/posts/{post['post_id']}/{step}", json=revision)
        wish = revision | {"post_id": post["post_id"], "connection_ids": [self.connection_id], "time_zone": "UTC"}
        made: dict[str, Any] = await self.owner.ask("POST", f"{self.path}/{kind}", expect=201, json=wish | when)
        return made

    async def tell(self, method: str, path: str, **request: Any) -> Any:
        return await self.owner.ask(method, f"{self.path}/{path}", **request)

    async def reach(self, schedule_id: str, state: str) -> None:
        """Wait until the schedule's one publication is in this state."""

        async def reached() -> bool:
            query = f"{self.path}/publications?schedule_id={schedule_id}"
            found = (await self.owner.ask("GET", query))["publications"]
            return [publication["state"] for publication in found] == [state]

        await wait_for(reached, 30, what=f"{schedule_id} {state}")

    def out(self) -> list[str]:
        """What is to be seen at the platform, in order."""
        assert self.system.sandbox is not None
        return [post.text for post in self.system.sandbox.truth.posts("bluesky")]


@pytest.mark.promise("P40")
@pytest.mark.promise("P43")
async def test_what_is_stopped_moved_and_repeated_goes_out_once_and_when_it_should(
    bus: Bus, environment: dict[str, str], tmp_path: Path
):
    async with (
        OneProcess(tmp_path / "data", sandbox=True, environment=environment) as system,
        Person("owner", "owner@example.com", system.gateway_url) as owner,
    ):
        desk = Desk(system, owner, *await furnish(owner, system))
        await stop_and_go_on(desk)
        await move(desk)
        await repeat(desk)


async def stop_and_go_on(desk: Desk) -> None:
    made = await desk.plan("schedules", "Campaign", at=desk.wall_clock(HOUR))
    await desk.reach(made["schedule_id"], "planned")
    desk.system.clock.advance(HOUR - timedelta(minutes=5))
    await desk.reach(made["schedule_id"], "staged")
    assert await desk.tell("POST", "schedules/pause") == {"series": 0, "schedules": 1, "complete": True}
    await desk.reach(made["schedule_id"], "planned")
    desk.system.clock.advance(timedelta(minutes=30))
    statement = await desk.plan("schedules", "We are sorry")
    await desk.reach(statement["schedule_id"], "published")
    assert desk.out() == ["We are sorry"]
    assert await desk.tell("POST", "schedules/resume") == {"series": 0, "schedules": 1, "complete": True}
    await desk.reach(made["schedule_id"], "published")
    assert desk.out() == ["We are sorry", "Campaign"]


async def move(desk: Desk) -> None:
    made = await desk.plan("schedules", "Launch", at=desk.wall_clock(5 * HOUR))
    await desk.reach(made["schedule_id"], "planned")
    await desk.tell("PATCH", f"schedules/{made['schedule_id']}", json={"at": desk.wall_clock(HOUR)})
    desk.system.clock.advance(HOUR)
    await desk.reach(made["schedule_id"], "published")
    assert desk.out()[2:] == ["Launch"]


async def repeat(desk: Desk) -> None:
    series = await desk.plan("series", "Weekly", rule="FREQ=DAILY;COUNT=2", starts_at=desk.wall_clock(HOUR))
    first, second = (await desk.tell("GET", f"series/{series['series_id']}"))["schedules"]
    desk.system.clock.advance(HOUR)
    await desk.reach(first["schedule_id"], "published")
    await desk.tell("PATCH", f"schedules/{second['schedule_id']}", json={"at": desk.wall_clock(2 * HOUR)})
    desk.system.clock.advance(2 * HOUR)
    await desk.reach(second["schedule_id"], "published")
    assert desk.out()[3:] == ["Weekly", "Weekly"]
    publications = (await desk.tell("GET", f"publications?post_id={series['post_id']}"))["publications"]
    assert sorted(publication["occurrence"] for publication in publications) == [1, 2]
