"""What the publisher asks for when it audits: everything of a period, whatever became of it, for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from kit.ids import new_id
from kit.testing.services import MakePassport
from scheduler.api import internal

from services.scheduler.tests.conftest import Content, Member

PERIOD = {
    "since": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
    "until": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
}


@pytest.fixture
def ask(member: Member, passport: MakePassport) -> Any:
    async def asked(path: str, *, by: str = "publisher", **body: Any) -> httpx.Response:
        headers = passport(service=by)
        return await member.client.post(f"/internal/{path}", json=body, headers=headers)

    return asked


async def test_a_period_is_told_page_by_page(
    member: Member, content: Content, ask: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(internal, "SCHEDULES_MAX", 2)
    made = [await member.scheduled(content.approve(member.workspace_id, 2)) for _ in range(3)]
    first = (await ask("due", **PERIOD)).json()
    second = (await ask("due", after=first["next"], **PERIOD)).json()
    told = [*first["due"], *second["due"]]
    assert (len(first["due"]), len(second["due"]), second["next"]) == (4, 2, None)
    assert {(each["schedule_id"], each["connection_id"]) for each in told} == {
        (schedule["schedule_id"], connection["connection_id"])
        for schedule in made
        for connection in schedule["connections"]
    }
    assert {each["workspace_id"] for each in told} == {str(member.workspace_id)}


async def test_cancelled_ones_are_told_too_and_by_name_whenever_they_are_due(
    member: Member, content: Content, ask: Any
):
    schedule = await member.scheduled(content.approve(member.workspace_id))
    cancelled = (await member.cancel(schedule["schedule_id"])).json()
    (told,) = (await ask("due", **PERIOD)).json()["due"]
    assert (told["schedule_state"], told["state"]) == (cancelled["state"], cancelled["connections"][0]["state"])
    named = (await ask("due/of", schedule_ids=[schedule["schedule_id"], str(new_id())])).json()
    assert named == {"due": [told], "next": None}


@pytest.mark.promise("P07")
async def test_only_the_publisher_is_told(ask: Any):
    assert (await ask("due", by="metrics", **PERIOD)).status_code == 403
    assert (await ask("due/of", by="gateway", schedule_ids=[str(new_id())])).status_code == 403
    assert (await ask("due", since="yesterday", until="now")).status_code in (400, 422)
    assert (await ask("due/of", schedule_ids=[])).status_code in (400, 422)
