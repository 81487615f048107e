"""Posts that will fail because of their connections are known before they do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from kit.clock import MovableClock
from kit.ids import new_id
from scheduler.domain.forecast import Cause, Standing, cause_at

from services.scheduler.tests.conftest import Auth, Content, Member
from services.scheduler.tests.test_api import local

NOW = datetime.fromisoformat("2026-11-22T10:00:00+00:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def ask(member: Member, path: str = "connection-forecast", **query: Any) -> httpx.Response:
    address = f"/api/workspaces/{member.workspace_id}/{path}"
    return await member.client.get(address, params=query, headers=member.headers)


@pytest.mark.promise("P25")
async def test_what_is_planned_behind_a_connections_end_is_told_ahead(
    member: Member, content: Content, auth: Auth, clock: MovableClock
):
    revision = content.approve(member.workspace_id, connections=2)
    lasting, ending = (variant.connection_id for variant in revision.variants)
    ends_at = clock.now() + 2 * DAY
    auth.stands(lasting)
    auth.stands(ending, "expiring", ends_at=ends_at.isoformat())
    await member.scheduled(revision, at=local(clock, DAY))
    late = await member.scheduled(revision, at=local(clock, 3 * DAY))
    (failure,) = (await ask(member)).json()["failures"]
    assert datetime.fromisoformat(failure.pop("since")) == ends_at
    assert failure == {
        "schedule_id": late["schedule_id"],
        "post_id": str(revision.post_id),
        "connection_id": str(ending),
        "platform": "bluesky",
        "due_at": late["due_at"],
        "cause": "connection_ends",
    }
    assert (await ask(member, f"connections/{ending}/forecast")).json()["failures"] == [failure | {"since": _(ends_at)}]
    assert (await ask(member, f"connections/{lasting}/forecast")).json()["failures"] == []
    assert (await ask(member, until=(clock.now() + 2 * DAY).isoformat())).json()["failures"] == []


def _(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_what_is_cancelled_or_in_another_workspace_is_left_out(
    member: Member, content: Content, auth: Auth, clock: MovableClock
):
    made = await member.scheduled(content.approve(member.workspace_id), at=local(clock, DAY))
    assert [each["cause"] for each in (await ask(member)).json()["failures"]] == ["connection_gone"]
    stranger = Member(member.client, new_id(), member.passport)
    assert (await ask(stranger)).json()["failures"] == []
    await member.cancel(made["schedule_id"])
    assert (await ask(member)).json()["failures"] == []


@pytest.mark.parametrize("until", ["2026-12-24T10:00:00", "2036-01-01T00:00:00Z"])
async def test_a_time_without_an_offset_or_too_far_ahead_is_refused(member: Member, until: str):
    answer = await ask(member, until=until)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/until")


@pytest.mark.promise("P25")
@pytest.mark.parametrize(
    ("state", "facts", "cause"),
    [
        ("active", {}, None),
        ("active", {"ends_at": NOW + 2 * DAY}, None),
        ("expiring", {"ends_at": NOW + DAY}, Cause.CONNECTION_ENDS),
        ("active", {"ends_at": NOW + DAY + timedelta(seconds=30)}, Cause.CONNECTION_ENDS),
        ("reauth_required", {}, Cause.REAUTHORISATION_NEEDED),
        ("ending", {}, Cause.CONNECTION_GONE),
        ("active", {"expires_at": NOW + HOUR}, None),
        ("active", {"failing_since": NOW, "expires_at": NOW + HOUR}, Cause.RENEWAL_FAILING),
        ("active", {"failing_since": NOW, "expires_at": NOW + 2 * DAY}, None),
        ("active", {"platform_ends_on": (NOW + DAY).date()}, Cause.PLATFORM_VERSION_ENDS),
        ("active", {"platform_ends_on": (NOW + 2 * DAY).date()}, None),
    ],
)
def test_each_cause_counts_from_its_time_on(state: str, facts: dict[str, Any], cause: Cause | None):
    blank = dict.fromkeys(("ends_at", "failing_since", "expires_at", "platform_ends_on"))
    found = cause_at(Standing(new_id(), "bluesky", state, **(blank | facts)), NOW + DAY)
    assert (found and found[0]) == cause
