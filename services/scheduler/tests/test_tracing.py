"""A schedule is announced in the trace of the request that made it, however much later."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from contracts.event import Event
from contracts.scheduler import ScheduleCreatedV1, ScheduleDueV1
from kit import codec
from kit.clock import MovableClock
from kit.testing.services import Bus
from nats.js.errors import NotFoundError

from services.scheduler.tests.conftest import Content, Member, body
from services.scheduler.tests.test_api import local


async def traces_told(bus: Bus, event: type[Event]) -> dict[str, str]:
    """The trace that each schedule's event travelled with, by the schedule's id."""
    found: dict[str, str] = {}
    sequence = 1
    while True:
        try:
            message = await bus.jetstream.get_msg(
                "SCHEDULER", sequence, subject=event.filter_subject(), next=True, direct=True
            )
        except NotFoundError:
            return found
        headers = message.headers or {}
        told = codec.decode(headers, message.data or b"")
        found[str(told.aggregate())] = headers["traceparent"].split("-")[1]
        assert message.seq is not None
        sequence = message.seq + 1


async def test_each_schedule_of_a_burst_is_announced_in_the_trace_of_its_own_request(
    member: Member, content: Content, bus: Bus, clock: MovableClock
):
    asked: dict[str, str] = {}
    for _ in range(3):
        trace = uuid4().hex
        wish = body(content.approve(member.workspace_id)) | {"at": local(clock, timedelta(hours=1))}
        headers = member.headers | {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        made = (await member.client.post(member.path, json=wish, headers=headers)).json()
        asked[made["schedule_id"]] = trace
    clock.advance(timedelta(hours=1))
    await bus.wait_told(ScheduleDueV1, 3)
    assert await traces_told(bus, ScheduleDueV1) == asked
    assert await traces_told(bus, ScheduleCreatedV1) == asked
