"""What is due in the same second, and what is pending behind it: written as the services' own rows.

Ten thousand approvals by hand would take minutes and measure something else. Each due post has a revision and a seal of
its own, as if a person had approved it; the publisher is told of it by the scheduler's event and stages it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from contracts.scheduler import ScheduleCreatedV1
from contracts.sealing import SealedRevision, SealedVariant, seal_message
from kit.database import Database, Scope
from kit.ids import new_id
from kit.keys import SigningKey
from kit.secret import Secret
from kit.testing import wait_for
from publishing.house import PLATFORM, House, Place
from scheduler.domain.zones import shipped

STAGED_SECONDS_MAX = 600
SETTINGS = {"kind": "post"}


@dataclass(frozen=True)
class Plan:
    """One post for one connection."""

    place: Place
    revision: SealedRevision
    schedule_id: UUID
    due_at: datetime

    @property
    def text(self) -> str:
        return self.revision.variants[0].text


async def plan_due(house: House, due: Sequence[datetime]) -> list[Plan]:
    """A post for each time, spread over all connections; returns once every one is staged."""
    plans = await plan_untold(house, due)
    await _tell(house, plans)
    await _staged(house, plans)
    return plans


async def plan_untold(house: House, due: Sequence[datetime]) -> list[Plan]:
    """The same, of which the publisher knows nothing."""
    plans = [_plan(house.places[number % len(house.places)], due_at) for number, due_at in enumerate(due)]
    now = house.now()
    key = SigningKey.load("content", house.system.surroundings.installation.signing_key("content"))
    async with await house.database("content") as content:
        await _copy(content, "post", _posts(plans, now))
        await _copy(content, "revision", _revisions(plans, now))
        await _copy(content, "variant", _variants(plans))
        await _copy(content, "seal", _seals(plans, key, now))
    async with await house.database("scheduler") as scheduler:
        await _copy(scheduler, "schedule", _schedules(plans, now))
        await _copy(scheduler, "target", _targets(plans))
    return plans


async def _staged(house: House, plans: Sequence[Plan]) -> None:
    ids = [plan.schedule_id for plan in plans]
    async with await house.database("publisher") as publisher:

        async def all_staged() -> bool:
            rows = await publisher.execute(
                "SELECT count(*) FROM publication WHERE schedule_id = ANY(%s) AND state = 'staged'", (ids,)
            )
            row = await rows.fetchone()
            return row is not None and row[0] == len(ids)

        await wait_for(all_staged, STAGED_SECONDS_MAX, what=f"{len(ids)} staged publications")


async def add_pending(house: House, count: int, after: datetime) -> None:
    """Schedules and planned publications of days to come, a second apart, over all connections."""
    now = house.now()
    places = [(place.workspace_id, place.connection_id, place.account_id) for place in house.places]
    chosen = {
        "workspaces": [place[0] for place in places],
        "connections": [place[1] for place in places],
        "accounts": [place[2] for place in places],
        "places": len(places),
        "count": count,
        "after": after + timedelta(days=1),
        "now": now,
        "zone_version": shipped().version,
    }
    async with await house.database("scheduler") as scheduler:
        await scheduler.execute(_PENDING_SCHEDULES, chosen)
        await scheduler.execute(_PENDING_TARGETS, chosen)
        await scheduler.execute("VACUUM ANALYZE schedule, target")
    async with await house.database("publisher") as publisher:
        await publisher.execute(_PENDING_PUBLICATIONS, chosen)
        await publisher.execute("VACUUM ANALYZE publication")


_PENDING_SCHEDULES = """
INSERT INTO schedule (schedule_id, workspace_id, post_id, revision_id, wall_clock, time_zone, adjustment, due_at, state,
                      created_by, created_at, publish_until, zone_version)
SELECT gen_random_uuid(), (%(workspaces)s::uuid[])[1 + n %% %(places)s], gen_random_uuid(), gen_random_uuid(),
       (%(after)s + n * interval '1 second') AT TIME ZONE 'UTC', 'UTC', 'none', %(after)s + n * interval '1 second',
       'scheduled', (%(accounts)s::uuid[])[1 + n %% %(places)s], %(now)s,
       %(after)s + n * interval '1 second' + '1 hour', %(zone_version)s
FROM generate_series(1, %(count)s) AS n
"""
_PENDING_TARGETS = """
INSERT INTO target (schedule_id, connection_id, workspace_id, position, state)
SELECT schedule_id, (%(connections)s::uuid[])[1 + (row_number() OVER ()) %% %(places)s], workspace_id, 0, 'waiting'
FROM schedule WHERE due_at >= %(after)s
"""
_PENDING_PUBLICATIONS = """
INSERT INTO publication (publication_id, workspace_id, schedule_id, occurrence, post_id, revision_id, connection_id,
                         due_at, created_at, platform, state, due, held, next_at, publish_until)
SELECT gen_random_uuid(), (%(workspaces)s::uuid[])[1 + n %% %(places)s], gen_random_uuid(), 1, gen_random_uuid(),
       gen_random_uuid(), (%(connections)s::uuid[])[1 + n %% %(places)s], %(after)s + n * interval '1 second', %(now)s,
       'facebook', 'planned', false, false, %(after)s + n * interval '1 second' - interval '10 minutes',
       %(after)s + n * interval '1 second' + interval '1 hour'
FROM generate_series(1, %(count)s) AS n
"""


def _plan(place: Place, due_at: datetime) -> Plan:
    variant = SealedVariant(
        connection_id=place.connection_id, platform=PLATFORM, text=f"Post {new_id()}", settings=SETTINGS
    )
    revision = SealedRevision(
        workspace_id=place.workspace_id, post_id=new_id(), revision_id=new_id(), variants=(variant,)
    )
    return Plan(place, revision, new_id(), due_at)


Rows = dict[str, Sequence[Any]]


async def _copy(connection: psycopg.AsyncConnection[Any], table: str, columns: Rows) -> None:
    query = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    async with connection.cursor().copy(query.encode()) as copy:
        for row in zip(*columns.values(), strict=True):
            await copy.write_row(row)


def _posts(plans: Sequence[Plan], now: datetime) -> Rows:
    return {
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "post_id": [plan.revision.post_id for plan in plans],
        "title": ["Measured"] * len(plans),
        "state": ["approved"] * len(plans),
        "revision_id": [plan.revision.revision_id for plan in plans],
        "number": [1] * len(plans),
        "created_by": [plan.place.account_id for plan in plans],
        "created_at": [now] * len(plans),
        "changed_at": [now] * len(plans),
    }


def _revisions(plans: Sequence[Plan], now: datetime) -> Rows:
    return {
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "revision_id": [plan.revision.revision_id for plan in plans],
        "post_id": [plan.revision.post_id for plan in plans],
        "number": [1] * len(plans),
        "content_hash": [plan.revision.content_hash() for plan in plans],
        "created_by": [plan.place.account_id for plan in plans],
        "created_at": [now] * len(plans),
    }


def _variants(plans: Sequence[Plan]) -> Rows:
    return {
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "revision_id": [plan.revision.revision_id for plan in plans],
        "position": [0] * len(plans),
        "connection_id": [plan.place.connection_id for plan in plans],
        "platform": [PLATFORM] * len(plans),
        "text": [plan.text for plan in plans],
        "settings": [json.dumps(SETTINGS)] * len(plans),
    }


def _seals(plans: Sequence[Plan], key: SigningKey, now: datetime) -> Rows:
    hashes = [plan.revision.content_hash() for plan in plans]
    messages = [
        seal_message(content_hash, (plan.place.account_id,), now)
        for plan, content_hash in zip(plans, hashes, strict=True)
    ]
    return {
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "revision_id": [plan.revision.revision_id for plan in plans],
        "content_hash": hashes,
        "approved_by": [plan.place.account_id for plan in plans],
        "approved_at": [now] * len(plans),
        "signature": [base64.urlsafe_b64encode(key.sign(message)).decode() for message in messages],
    }


def _schedules(plans: Sequence[Plan], now: datetime) -> Rows:
    return {
        "schedule_id": [plan.schedule_id for plan in plans],
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "post_id": [plan.revision.post_id for plan in plans],
        "revision_id": [plan.revision.revision_id for plan in plans],
        "wall_clock": [plan.due_at.replace(tzinfo=None) for plan in plans],
        "time_zone": ["UTC"] * len(plans),
        "adjustment": ["none"] * len(plans),
        "due_at": [plan.due_at for plan in plans],
        "state": ["scheduled"] * len(plans),
        "created_by": [plan.place.account_id for plan in plans],
        "created_at": [now] * len(plans),
        "publish_until": [plan.due_at + timedelta(hours=1) for plan in plans],
        "zone_version": [shipped().version] * len(plans),
        # Each was asked for by a request, whose trace it keeps; without a collector nobody records it.
        "trace": [f"00-{plan.schedule_id.hex}-{plan.schedule_id.hex[:16]}-00" for plan in plans],
    }


def _targets(plans: Sequence[Plan]) -> Rows:
    return {
        "schedule_id": [plan.schedule_id for plan in plans],
        "connection_id": [plan.place.connection_id for plan in plans],
        "workspace_id": [plan.place.workspace_id for plan in plans],
        "position": [0] * len(plans),
        "state": ["waiting"] * len(plans),
    }


async def _tell(house: House, plans: Sequence[Plan]) -> None:
    """Let the scheduler's relay tell of them: as if they had been scheduled one by one."""
    url = Secret(house.system.environment_of("scheduler")["DATABASE_URL_SCHEDULER"])
    database = Database("scheduler", url, house.system.clock, connections_max=1)
    await database.open()
    async with database.transaction(Scope.nobody()) as transaction:
        for plan in plans:
            transaction.emit(
                ScheduleCreatedV1(
                    workspace_id=plan.place.workspace_id,
                    schedule_id=plan.schedule_id,
                    occurrence=1,
                    post_id=plan.revision.post_id,
                    revision_id=plan.revision.revision_id,
                    connection_ids=(plan.place.connection_id,),
                    due_at=plan.due_at,
                    publish_until=plan.due_at + timedelta(hours=1),
                )
            )
    await database.close()
