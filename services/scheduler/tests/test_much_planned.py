"""However much is planned, a time is looked up by what stands near it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from scheduler.adapters.store import Store
from scheduler.domain.spread import Crowd

MANY = 20_000
HOUR = timedelta(hours=1)


@pytest.fixture
async def units(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Units[Store]]:
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=1)
    await database.open()
    yield Units(database, Store)
    await database.close()


async def test_the_first_times_of_a_new_connection_are_found_without_reading_what_others_have(
    units: Units[Store], environment: dict[str, str], clock: MovableClock
):
    workspace_id, connection_id, now = new_id(), new_id(), clock.now()
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_SCHEDULER"], autocommit=True) as rows:
        rows.execute(
            "INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment,"
            " due_at, state, created_at) SELECT gen_random_uuid(), %s, gen_random_uuid(), gen_random_uuid(), now(),"
            " 'UTC', 'none', %s + n * interval '10 minutes', 'scheduled', now() FROM generate_series(1, %s) AS n",
            (workspace_id, now, MANY),
        )
        rows.execute(
            "INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)"
            " SELECT schedule_id, %s, workspace_id, 0, 'waiting' FROM schedule",
            (new_id(),),
        )
        rows.execute("ANALYZE schedule, target")
    times = [now + each * HOUR for each in range(100)]
    crowd = Crowd(workspace_id, (connection_id,), None, HOUR)
    async with units(Scope.workspace(workspace_id)) as store:
        assert await store.free_of(connection_id, times, timedelta()) == set(times)
        assert await store.closest(crowd, now + 2 * HOUR) is None
        assert await store.busy(crowd, since=now, until=now + 24 * HOUR) == []
        read_whole = (
            "SELECT sum(seq_tup_read)::int FROM pg_stat_xact_user_tables WHERE relname IN ('schedule', 'target')"
        )
        assert await store._transaction.scalar(read_whole) == 0
