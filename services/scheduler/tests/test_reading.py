"""A calendar is read a page at a time, however much is in it and whatever happens between two pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.sealing import SealedRevision
from hypothesis import given
from hypothesis import strategies as st
from kit.clock import MovableClock
from scheduler.domain.calendar import Place

from services.scheduler.tests.conftest import Content, Member

NEW_YEAR = datetime.fromisoformat("2027-01-01T12:00")


@pytest.fixture(autouse=True)
def at_new_year(clock: MovableClock) -> None:
    clock.advance(NEW_YEAR.replace(tzinfo=UTC) - clock.now())


@pytest.fixture
def revision(member: Member, content: Content) -> SealedRevision:
    return content.approve(member.workspace_id, connections=2)


async def days(member: Member, revision: SealedRevision, *ahead: int, **fields: Any) -> list[dict[str, Any]]:
    """A schedule at noon, UTC, of each of these days of January."""
    made = [
        await member.scheduled(revision, at=(NEW_YEAR + timedelta(days=day - 1)).isoformat(), time_zone="UTC", **fields)
        for day in ahead
    ]
    return [{name: each[name] for name in each if name != "warnings"} for each in made]


async def read(member: Member, **query: Any) -> dict[str, Any]:
    answer = await member.client.get(member.path, params=query, headers=member.headers)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def of_january(page: dict[str, Any]) -> list[int]:
    return [datetime.fromisoformat(schedule["due_at"]).day for schedule in page["schedules"]]


async def test_a_period_is_read_onwards_and_the_newest_backwards(member: Member, revision: SealedRevision):
    made = await days(member, revision, 4, 2, 3, 5)
    assert of_january(await read(member)) == [5, 4, 3, 2]
    found = await read(member, **{"from": "2027-01-03T12:00:00Z", "until": "2027-01-05T12:00:00Z"})
    assert of_january(found) == [3, 4]
    assert found == {"schedules": [made[2], made[0]]}
    assert of_january(await read(member, until="2027-01-03T13:00:00+01:00")) == [2]


@pytest.mark.parametrize(
    ("since", "order", "place"), [(None, [6, 5, 4, 3, 2], "before"), (2, [2, 3, 4, 5, 6], "after")]
)
async def test_pages_go_on_where_the_last_one_ended(
    member: Member, revision: SealedRevision, since: int | None, order: list[int], place: str
):
    await days(member, revision, *order)
    query: dict[str, Any] = {"limit": 2} | ({"from": f"2027-01-0{since}T00:00:00Z"} if since else {})
    found, page = [], await read(member, **query)
    while place in page:
        found.append(of_january(page))
        page = await read(member, **query, **{place: page[place]})
    assert [*found, of_january(page)] == [order[:2], order[2:4], order[4:]]
    assert page.keys() == {"schedules"}


async def test_schedules_of_one_instant_are_neither_left_out_nor_doubled(member: Member, revision: SealedRevision):
    made = {each["schedule_id"] for each in await days(member, revision, *[3] * 5)}
    seen, query = [], {"from": "2027-01-01T00:00:00Z", "limit": 2}
    page = await read(member, **query)
    seen += page["schedules"]
    while "after" in page:
        page = await read(member, **query, after=page["after"])
        seen += page["schedules"]
    assert len(seen) == 5
    assert {each["schedule_id"] for each in seen} == made


async def test_a_page_turns_the_same_when_the_schedule_at_its_edge_has_moved(member: Member, revision: SealedRevision):
    _, second, *_ = await days(member, revision, 2, 3, 4, 5)
    page = await read(member, **{"from": "2027-01-01T00:00:00Z", "limit": 2})
    await member.move(second["schedule_id"], at="2027-01-20T12:00")
    assert of_january(await read(member, after=page["after"])) == [4, 5, 20]
    assert of_january(await read(member, before=page["after"])) == [2]


async def test_a_calendar_is_narrowed_by_connection_and_state(member: Member, revision: SealedRevision):
    one, other = (str(variant.connection_id) for variant in revision.variants)
    await days(member, revision, 2, connection_ids=[one])
    (cancelled,) = await days(member, revision, 3, connection_ids=[one, other])
    await days(member, revision, 4, connection_ids=[other])
    await member.cancel(cancelled["schedule_id"])
    assert of_january(await read(member, connection_id=one)) == [3, 2]
    assert of_january(await read(member, in_state="scheduled")) == [4, 2]
    assert of_january(await read(member, in_state="cancelled", connection_id=other)) == [3]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"from": "2027-01-01T00:00:00"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"until": "2027-01-01"}, "until"),
        ({"in_state": "late"}, "in_state"),
        ({"connection_id": "x"}, "connection_id"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"before": "yesterday"}, "before"),
        ({"after": "999999999999999999-" + "0" * 32}, "after"),
        ({"before": "1-" + "0" * 32, "after": "1-" + "0" * 32}, "before"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(member: Member, query: dict[str, Any], parameter: str):
    refused = await member.client.get(member.path, params=query, headers=member.headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:signoff:problem:invalid"), refused.text
    assert [error["parameter"] for error in refused.json()["errors"]] == [parameter]


@given(st.datetimes(datetime(1970, 1, 1), datetime(5000, 1, 1), timezones=st.just(UTC)), st.uuids())  # noqa: DTZ001
def test_a_place_is_told_and_understood(due_at: datetime, schedule_id: Any):
    place = Place(due_at, schedule_id)
    assert Place.parse(str(place)) == place
