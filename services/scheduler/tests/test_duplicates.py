"""The same content for the same connection is noticed, whichever post it is in."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from contracts.content import PostDeletedV1
from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.testing import wait_for
from kit.testing.services import Bus

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_api import local
from services.scheduler.tests.test_queues import MORNING, enqueue, give_slots

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def revision(member: Member, content: Content) -> SealedRevision:
    return content.approve(member.workspace_id)


def warning(made: dict[str, Any]) -> dict[str, str]:
    """Of what a later schedule at the same connection is warned."""
    (target,) = made["connections"]
    return {
        "code": "duplicate",
        "schedule_id": made["schedule_id"],
        "due_at": made["due_at"],
        "connection_id": target["connection_id"],
    }


async def test_a_copy_within_thirty_days_is_kept_with_a_warning(
    member: Member, content: Content, revision: SealedRevision, clock: MovableClock
):
    first = await member.scheduled(revision, at=local(clock, 40 * DAY))
    assert "warnings" not in first
    for ahead in (-30 * DAY, 30 * DAY):
        at = datetime.fromisoformat(first["at"]) + ahead
        made = await member.scheduled(content.copy(revision), at=at.isoformat())
        assert made.pop("warnings") == [warning(first)]
        assert await member.see(made["schedule_id"]) == made
    between = await member.scheduled(revision, at=local(clock, 38 * DAY))
    assert between["warnings"] == [warning(first)]  # the nearest
    # Thirty days and a second behind the last.
    assert "warnings" not in await member.scheduled(content.copy(revision), at=local(clock, 100 * DAY + SECOND))


async def test_other_content_another_connection_and_what_is_cancelled_are_no_duplicates(
    member: Member, content: Content, revision: SealedRevision, clock: MovableClock
):
    cancelled = await member.scheduled(revision, at=local(clock, DAY))
    await member.cancel(cancelled["schedule_id"])
    for other in (revision, content.copy(revision, text="Hello again"), content.approve(member.workspace_id)):
        assert "warnings" not in await member.scheduled(other, at=local(clock, 2 * DAY))


async def test_who_wants_no_duplicates_gets_none_even_if_many_ask_at_once(
    member: Member, content: Content, revision: SealedRevision, clock: MovableClock
):
    copies = [content.copy(revision) for _ in range(6)]
    answers = await asyncio.gather(
        *(member.schedule(copy, at=local(clock, DAY), refuse_duplicates=True) for copy in copies)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    (made,) = (answer.json() for answer in answers if answer.status_code == 201)
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["type"] == "urn:signoff:problem:duplicate"
    assert refused["duplicates"] == [{name: value for name, value in warning(made).items() if name != "code"}]
    listed = await member.client.get(member.path, headers=member.headers)
    assert listed.json() == {"schedules": [made]}


async def test_a_queue_warns_and_refuses_too(member: Member, revision: SealedRevision, auth: Auth):
    await give_slots(member, auth, revision.variants[0].connection_id, MORNING)
    (first,) = (await enqueue(member, revision)).json()["schedules"]
    (second,) = (await enqueue(member, revision)).json()["schedules"]
    assert second["warnings"] == [warning(first)]
    refused = await enqueue(member, revision, refuse_duplicates=True)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:duplicate")


async def test_nothing_is_kept_of_what_a_deleted_post_said(
    member: Member, content: Content, revision: SealedRevision, bus: Bus, environment: dict[str, str], tomorrow: str
):
    copy = content.copy(revision)
    for each in (revision, copy):
        await member.scheduled(each, at=tomorrow)
    await bus.publish(PostDeletedV1(workspace_id=member.workspace_id, post_id=revision.post_id))

    async def kept() -> list[Any]:
        async with await psycopg.AsyncConnection.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as connection:
            found = await connection.execute(
                "SELECT post_id FROM target JOIN schedule USING (schedule_id) WHERE content_hash IS NOT NULL"
            )
            return [row[0] for row in await found.fetchall()]

    async def forgotten() -> bool:
        return await kept() == [copy.post_id]

    await wait_for(forgotten)


async def test_rows_from_before_have_no_content_and_are_no_duplicates(
    member: Member, revision: SealedRevision, environment: dict[str, str], tomorrow: str
):
    await member.scheduled(revision, at=tomorrow)
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"]) as connection:
        connection.execute("UPDATE target SET content_hash = NULL")
    assert "warnings" not in await member.scheduled(revision, at=tomorrow)
