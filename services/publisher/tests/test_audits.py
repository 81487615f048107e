"""The auditor on real servers: what is tampered with behind our back is named, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.auth import ConnectionEstablishedV1
from contracts.publisher import PublicationRemovedV1
from contracts.retention import SubjectKind
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from kit.testing import wait_for
from platforms.shape import PlatformName
from publisher.adapters.audit_rows import AuditRows
from publisher.domain.auditing import SETTLED, Difference, Kind
from publisher.ports.auditing import Report, Run
from publisher.use_cases.audit_publications import LEASE
from sandbox.bluesky.state import APP_PASSWORD

from services.publisher.tests.conftest import HOUR, Plan, World
from services.publisher.tests.neighbours import Scheduler
from services.publisher.tests.sandboxed import Platforms, platforms
from services.publisher.tests.test_erasure import erase

__all__ = ["platforms"]

DAY = timedelta(days=1)
PUT = "POST /xrpc/com.atproto.repo.putRecord"


@asynccontextmanager
async def audits(world: World) -> AsyncIterator[AuditRows]:
    database = Database(
        "publisher", Secret(world.environment["DATABASE_URL_PUBLISHER"]), world.clock, connections_max=1
    )
    await database.open()
    try:
        async with Units(database, AuditRows)(Scope.worker()) as rows:
            yield rows
    finally:
        await database.close()


async def audited(world: World, *, back: timedelta = 2 * HOUR) -> Report:
    """The report of an audit of the last hours."""
    until = world.clock.now()
    run = Run(new_id(), until - back, until, None)
    async with audits(world) as rows:
        await rows.plan(run, asked=True)
    last: list[Report] = []

    async def done() -> bool:
        async with audits(world) as rows:
            report = await rows.report(run.run_id)
        assert report is not None
        last[:] = [report]
        return report.state == "done"

    await wait_for(done, 20)
    return last[0]


async def published(platforms: Platforms, scheduler: Scheduler, *texts: str, state: str = "published") -> list[Plan]:
    """Posts at Bluesky through one connection, and the scheduler that knows of them, an hour ago."""
    world = platforms.world
    connection_id = world.auth.connect(world.workspace_id, await platforms.grant(PlatformName.BLUESKY))
    await world.tell(
        ConnectionEstablishedV1(workspace_id=world.workspace_id, connection_id=connection_id, platform="bluesky")
    )
    plans = []
    for text in texts:
        settings = {"thread": [{"text": f"{text}, part two"}]}
        plan = world.plan_for(world.content.approve(world.workspace_id, (connection_id,), text=text, settings=settings))
        await world.tell(plan.due())
        await world.wait(platforms.client, plan, state, timeout_seconds=30)
        scheduler.plans(world.workspace_id, plan.schedule_id, connection_id, plan.due_at, state=state)
        plans.append(plan)
    return plans


async def later(platforms: Platforms) -> None:
    """Until everything has settled. The grant is renewed, as its keeper does."""
    platforms.world.clock.advance(HOUR / 2)
    assert HOUR / 2 > SETTLED


class Person:
    """Who owns the account, signed in to Bluesky itself."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.did = ""

    async def sign_in(self) -> None:
        shown = {"identifier": "brand.test", "password": APP_PASSWORD}
        session = (await self._http.post("/xrpc/com.atproto.server.createSession", json=shown)).json()
        self.did = session["did"]
        self._http.headers["Authorization"] = f"Bearer {session['accessJwt']}"

    async def do(self, method: str, **body: Any) -> str:
        whole = {"repo": self.did, "collection": "app.bsky.feed.post"} | body
        answer = await self._http.post(f"/xrpc/com.atproto.repo.{method}", json=whole)
        assert answer.status_code == 200, answer.text
        return str(answer.json().get("uri"))

    async def post(self, platforms: Platforms, text: str, **more: Any) -> str:
        now = platforms.world.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": now}
        return await self.do("putRecord" if more else "createRecord", record=record, **more)


@pytest.fixture
async def person(platforms: Platforms) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(base_url=platforms.sandbox.base_urls["bluesky"], trust_env=False) as http:
        person = Person(http)
        await person.sign_in()
        yield person


@pytest.mark.promise("P24")
@pytest.mark.promise("P43")
async def test_what_agrees_has_no_differences_and_strangers_are_only_counted(
    platforms: Platforms, scheduler: Scheduler, person: Person
):
    await published(platforms, scheduler, "Fresh paint", "Dry by now")
    await person.post(platforms, "What I had for breakfast")
    await later(platforms)
    report = await audited(platforms.world)
    assert report.findings == []
    assert report.counts == {
        "planned": 2, "publications": 2, "accounts": 1, "listed_in_part": 0, "not_looked_at": 0, "strangers": 1,
        "differences": 0,
    }  # fmt: skip
    with psycopg.connect(platforms.world.environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
        kept = connection.execute("SELECT * FROM audit").fetchall()
    assert "breakfast" not in str(kept)
    await wait_for(lambda: not platforms.world.auth.out)


@pytest.mark.promise("P43")
async def test_a_post_that_somebody_deleted_there_is_named(platforms: Platforms, scheduler: Scheduler, person: Person):
    plan, _ = await published(platforms, scheduler, "Fresh paint", "Dry by now")
    (publication,) = await platforms.world.seen(platforms.client, schedule_id=plan.schedule_id)
    await person.do("deleteRecord", rkey=publication["platform_post_id"].rsplit("/", 1)[1])
    await later(platforms)
    report = await audited(platforms.world)
    (missing,) = report.findings
    assert (missing.kind, str(missing.publication_id)) == (Kind.POST_MISSING, publication["publication_id"])
    assert missing.post_ids == (publication["platform_post_id"],)
    assert report.counts["differences"] == 1


@pytest.mark.promise("P43")
async def test_a_post_that_is_there_twice_is_named_with_its_double(
    platforms: Platforms, scheduler: Scheduler, person: Person
):
    plan, _ = await published(platforms, scheduler, "Fresh paint", "Dry by now")
    doubles = [await person.post(platforms, text) for text in ("Fresh paint", "Dry by now, part two")]
    await later(platforms)
    report = await audited(platforms.world)
    assert [each.kind for each in report.findings] == [Kind.DOUBLE] * 2
    assert {each.post_ids[1] for each in report.findings} == set(doubles)
    (publication,) = await platforms.world.seen(platforms.client, schedule_id=plan.schedule_id)
    assert publication["platform_post_id"] in {each.post_ids[0] for each in report.findings}


@pytest.mark.promise("P43")
async def test_a_post_that_is_out_although_we_say_that_it_failed_is_named(platforms: Platforms, scheduler: Scheduler):
    for route in (PUT, "POST /xrpc/com.atproto.repo.applyWrites"):
        platforms.sandbox.add_fault(
            "bluesky", route, "answer_after", status=400, body={"error": "InvalidRequest", "message": "no"}
        )
    await published(platforms, scheduler, "Fresh paint", state="failed")
    await later(platforms)
    found = (await audited(platforms.world)).findings
    assert {each.kind for each in found} == {Kind.UNCLAIMED}
    truth = {post.post_id for post in platforms.sandbox.truth.posts("bluesky")}
    assert {post_id for each in found for post_id in each.post_ids} == truth


@pytest.mark.promise("P43")
async def test_a_post_that_came_back_after_its_removal_is_named(
    platforms: Platforms, scheduler: Scheduler, person: Person
):
    world = platforms.world
    await published(platforms, scheduler, "Fresh paint")
    (publication,) = await world.seen(platforms.client)
    path = f"/api/workspaces/{world.workspace_id}/publications/{publication['publication_id']}/post"
    headers = world.passport(workspace_id=world.workspace_id, role="editor")
    assert (await platforms.client.delete(path, headers=headers)).status_code == 202
    await world.bus.wait_told(PublicationRemovedV1)
    await later(platforms)
    assert (await audited(world)).findings == []
    await person.post(platforms, "Fresh paint", rkey=publication["platform_post_id"].rsplit("/", 1)[1])
    (back,) = (await audited(world)).findings
    assert (back.kind, back.post_ids) == (Kind.NOT_REMOVED, (publication["platform_post_id"],))


@pytest.mark.promise("P43")
async def test_what_only_one_of_us_knows_of_is_named(platforms: Platforms, scheduler: Scheduler):
    world = platforms.world
    (plan,) = await published(platforms, scheduler, "Fresh paint")
    scheduler.due.clear()
    lost, silent = new_id(), new_id()
    scheduler.plans(world.workspace_id, lost, new_id(), plan.due_at, state="waiting", schedule_state="due")
    scheduler.plans(world.workspace_id, silent, new_id(), plan.due_at, state="waiting", schedule_state="scheduled")
    await later(platforms)
    found = {each.kind: each for each in (await audited(world)).findings}
    assert found.keys() == {Kind.NO_SCHEDULE, Kind.NO_PUBLICATION, Kind.NOT_ANNOUNCED}
    assert found[Kind.NO_SCHEDULE].schedule_id == plan.schedule_id
    assert (found[Kind.NO_PUBLICATION].schedule_id, found[Kind.NOT_ANNOUNCED].schedule_id) == (lost, silent)


async def test_what_scheduler_has_at_another_time_is_known_to_it(platforms: Platforms, scheduler: Scheduler):
    world = platforms.world
    await published(platforms, scheduler, "Fresh paint")
    scheduler.due[0]["due_at"] = (world.clock.now() + DAY).isoformat()
    await later(platforms)
    report = await audited(world)
    assert (report.findings, report.counts["planned"]) == ([], 0)


@pytest.mark.promise("P25")
async def test_an_account_that_may_not_be_asked_is_said_to_be_and_is_no_difference(
    platforms: Platforms, scheduler: Scheduler
):
    (plan,) = await published(platforms, scheduler, "Fresh paint")
    await later(platforms)
    platforms.world.auth.refusals[plan.connection_ids[0]] = "reauth_required"
    report = await audited(platforms.world)
    (unseen,) = report.findings
    assert (unseen.kind, unseen.connection_id) == (Kind.NOT_LOOKED, plan.connection_ids[0])
    assert "reauth_required" in unseen.detail
    assert (report.counts["not_looked_at"], report.counts["differences"]) == (1, 0)


async def test_an_audit_whose_publisher_died_is_begun_anew(world: World, scheduler: Scheduler):
    """It was claimed, had noted something, and nobody goes on with it."""
    until = world.clock.now()
    run = Run(new_id(), until - HOUR, until, None)
    scheduler.plans(world.workspace_id, new_id(), new_id(), until - HOUR / 2, state="waiting", schedule_state="due")
    async with audits(world) as rows:
        await rows.plan(run, asked=True)
        claimed = await rows.claim(leased_until=until + LEASE)
        assert claimed is not None
        await rows.note(claimed, [Difference(Kind.STUCK, world.workspace_id, "noted before it died")])
        assert await rows.claim(leased_until=until + LEASE) is None
    async with world.start():
        world.clock.advance(LEASE + timedelta(seconds=1))

        async def done() -> Report | None:
            async with audits(world) as rows:
                report = await rows.report(run.run_id)
            return report if report is not None and report.state == "done" else None

        report = await wait_for(done, 15)
        assert report is not None
        async with audits(world) as rows:
            assert not await rows.prolong(claimed, until)
    assert [each.kind for each in report.findings] == [Kind.NO_PUBLICATION]


async def test_a_day_is_audited_once_by_however_many_publishers(world: World, scheduler: Scheduler):
    async def planned() -> list[Any]:
        with psycopg.connect(world.environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
            return connection.execute(
                "SELECT since, until, asked FROM audit WHERE state = 'done' ORDER BY until"
            ).fetchall()

    async with world.start() as client, world.start():
        plan = world.plan()
        scheduler.plans(world.workspace_id, plan.schedule_id, plan.connection_ids[0], plan.due_at)
        await world.tell(plan.due())
        await world.wait(client, plan, "published")
        assert await planned() == []
        for days in (1, 2):
            world.clock.advance(DAY + HOUR)

            async def enough(days: int = days) -> bool:
                return len(await planned()) == days

            await wait_for(enough, 20)
    first, second = await planned()
    assert first[0] == plan.due_at
    assert first[1] == second[0]
    assert not first[2]


@pytest.mark.promise("P63")
async def test_findings_go_with_their_workspace_and_lose_the_platforms_names_with_their_connection(
    platforms: Platforms, scheduler: Scheduler, person: Person
):
    world = platforms.world
    (plan,) = await published(platforms, scheduler, "Fresh paint")
    await person.post(platforms, "Fresh paint")
    await later(platforms)
    report = await audited(world)
    assert len(report.findings) == 1
    done = await erase(world, SubjectKind.CONNECTION, plan.connection_ids[0])
    assert done.anonymised["audit_finding"] == 1

    async def findings() -> list[Any]:
        async with audits(world) as rows:
            found = await rows.report(report.run_id)
        assert found is not None
        return list(found.findings)

    (left,) = await findings()
    assert (left.post_ids, left.kind) == ((), Kind.DOUBLE)
    await erase(world, SubjectKind.WORKSPACE, world.workspace_id)
    assert await findings() == []


def test_nobody_but_workers_reads_what_was_found(environment: dict[str, str]):
    with (
        psycopg.connect(environment["DATABASE_URL_PUBLISHER"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT count(*) FROM audit")
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_PUBLISHER"]) as connection:
        connection.execute(
            "INSERT INTO audit (run_id, since, until, asked, state, created_at)"
            " VALUES (%(id)s, now(), now(), true, 'done', now())",
            {"id": (run_id := new_id())},
        )
        connection.execute(
            "INSERT INTO audit_finding (run_id, workspace_id, kind, post_ids, detail) VALUES (%s, %s, 'x', '{}', '')",
            (run_id, workspace := new_id()),
        )
    with psycopg.connect(environment["DATABASE_URL_PUBLISHER"]) as connection:
        connection.execute(f"SET app.workspace_id = '{UUID(str(workspace))}'".encode())
        assert connection.execute("SELECT count(*) FROM audit_finding").fetchone() == (0,)
