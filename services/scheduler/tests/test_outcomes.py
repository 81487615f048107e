"""What is told of one schedule in the same moment is recorded together, and nothing of it is forgotten."""

from __future__ import annotations

from uuid import UUID

from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.secret import Secret
from scheduler.adapters.store import Store
from scheduler.domain.schedule import Target, TargetState
from scheduler.use_cases.record_outcomes import record_outcomes

from services.scheduler.tests.conftest import Content, Member


async def test_outcomes_of_one_schedule_that_come_together_all_count(
    member: Member, content: Content, environment: dict[str, str], clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id, connections=2))
    schedule_id = UUID(made["schedule_id"])
    first, second = (UUID(each["connection_id"]) for each in made["connections"])
    database = Database("scheduler", Secret(environment["DATABASE_URL_SCHEDULER"]), clock, connections_max=1)
    await database.open()
    async with Units(database, Store)(Scope.worker()) as store:
        outcomes = [
            Target(first, TargetState.NEEDS_ATTENTION, "undecided", new_id()),
            Target(first, TargetState.PUBLISHED, None, new_id()),
            Target(second, TargetState.PUBLISHED, None, new_id()),
        ]
        await record_outcomes([(schedule_id, outcome) for outcome in outcomes], store=store)
        await record_outcomes([(new_id(), outcomes[0])], store=store)
    await database.close()
    seen = await member.see(made["schedule_id"])
    assert seen["state"] == "done"
    assert [each["state"] for each in seen["connections"]] == ["published", "published"]
