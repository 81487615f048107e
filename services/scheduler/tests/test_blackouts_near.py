"""Of the blackouts of a workspace only those near a time are read for it, and all that it can be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kit.database import Scope, Units
from kit.ids import new_id
from scheduler.adapters.store import Store
from scheduler.domain.blackouts import Blackout, Window

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

TURNS = ["2027-02-28", "2028-02-28", "2028-02-29", "2028-03-01", "2027-12-31"]
"""Days about which years differ."""


def around(day: str, zone: str, *, yearly: bool) -> list[Window]:
    """Short and long ones that begin or end then."""
    at = datetime.fromisoformat(day)
    times = [(at, at + DAY), (at + 10 * HOUR, at + 34 * HOUR), (at - 300 * DAY, at + 12 * HOUR), (at, at + 300 * DAY)]
    return [Window("Quiet", *each, zone, yearly) for each in times]


async def test_no_blackout_that_an_instant_is_in_is_overlooked_and_few_others_are_read(units: Units[Store]):
    workspace_id = new_id()
    windows = [
        window
        for day in TURNS
        for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles")
        for yearly in (True, False)
        for window in around(day, zone, yearly=yearly)
    ]
    blackouts = [Blackout(new_id(), workspace_id, window) for window in windows]
    async with units(Scope.workspace(workspace_id)) as store:
        await store.add_blackouts(blackouts)
        years = [datetime(year, 1, 1, tzinfo=UTC) for year in range(2027, 2033)]
        instants = [year + day * DAY + each * 9 * HOUR for year in years for day in (57, 362) for each in range(14)]
        for instant in instants:
            near = {each.blackout_id for each in await store.blackouts_near(workspace_id, instant, instant)}
            inside = {each.blackout_id for each in blackouts if any(each.window.times(instant, instant))}
            assert inside <= near
        midsummer = datetime(2030, 6, 15, tzinfo=UTC)
        assert {
            each.window.ends_at - each.window.starts_at > 2 * DAY and each.window.yearly
            for each in await store.blackouts_near(workspace_id, midsummer, midsummer)
        } == {True}
