"""Where a person must decide, they are asked with the evidence, and their word is kept with their name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from contracts.publisher import PublicationIdentifiedV1, PublicationMissedV1
from kit.ids import new_id
from kit.testing import wait_for
from platforms.errors import OutcomeUnknown, Rejected, Transient
from platforms.shape import Processing, Undecided
from publisher.adapters.store import Store
from publisher.domain.answers import ANSWERS, Answer
from publisher.domain.publication import MOVES, State

from services.publisher.tests.conftest import HOUR, Plan, World, states
from services.publisher.tests.fakes import answering, raising

PERSON = new_id()


async def say(
    world: World, client: httpx.AsyncClient, publication: dict[str, Any], role: str = "editor", **body: Any
) -> httpx.Response:
    return await client.post(
        f"/api/workspaces/{world.workspace_id}/publications/{publication['publication_id']}/answer",
        json=body,
        headers=world.passport(account_id=PERSON, workspace_id=world.workspace_id, role=role),
    )


async def undecided(world: World, client: httpx.AsyncClient) -> tuple[Plan, dict[str, Any]]:
    """A post of which nobody knows whether it is out."""
    plan = world.plan()
    world.platform.after["publish"].append(raising(OutcomeUnknown("no_answer", "cut")))
    world.platform.before["reconcile"].append(answering(Undecided({"seen": 2})))
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "needs_attention")
    return plan, publication


@pytest.mark.promise("P42")
async def test_a_person_says_that_it_is_there(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)
    assert publication["answers"] == ["give_up", "is_there", "try_again"]
    assert publication["evidence"] == {"seen": 2}
    world.platform.before["status"].append(raising(Transient("not_posted", "no post is known to be out")))
    said = await say(world, client, publication, answer="is_there", url="https://bsky.app/profile/brand/post/7")
    assert said.status_code == 200, said.text
    (after,) = await world.wait(client, plan, "published", url="https://bsky.app/profile/brand/post/7", answers=[])
    assert after["history"][-1] | {"at": None} == {
        "at": None, "state": "published", "code": "told_by_person", "actor": str(PERSON),
    }  # fmt: skip
    assert len(world.platform.posts) == 1


async def test_what_a_person_says_is_there_is_identified_if_the_platform_can_tell_it_by_now(
    world: World, client: httpx.AsyncClient
):
    plan, publication = await undecided(world, client)
    assert (await say(world, client, publication, answer="is_there")).status_code == 200
    (told,) = await world.bus.wait_told(PublicationIdentifiedV1)
    assert isinstance(told, PublicationIdentifiedV1)
    await world.wait(client, plan, "published", platform_post_id=told.platform_post_id)


async def test_an_address_on_another_platform_changes_nothing(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)
    said = await say(world, client, publication, answer="is_there", url="https://x.com/brand/status/7")
    assert (said.status_code, said.json()["type"]) == (422, "urn:signoff:problem:post-elsewhere")
    assert said.json()["errors"] == [{"pointer": "/url", "detail": "Posts of this platform are seen at bsky.app."}]
    await world.wait(client, plan, "needs_attention", url=None)


async def test_what_a_platform_processes_for_a_day_is_settled_by_a_person(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.platform.before["publish"].append(answering(Processing(60, {"video_id": "v1"})))
    await world.tell(plan.due())
    await world.wait(client, plan, "processing")
    world.platform.before["status"].append(answering(Processing(60)))
    world.clock.advance(25 * HOUR)
    (publication,) = await world.wait(client, plan, "needs_attention", code="still_processing")
    assert publication["evidence"] == {"video_id": "v1"}
    assert (await say(world, client, publication, answer="is_there")).status_code == 200
    await world.wait(client, plan, "published", answers=[])


@pytest.mark.promise("P42")
async def test_a_person_says_that_it_is_not_there_and_it_goes_out_once_more(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)
    world.platform.posts.clear()
    assert (await say(world, client, publication, answer="try_again")).status_code == 200
    (after,) = await world.wait(client, plan, "published")
    assert after["attempts"] == 2
    assert world.platform.posted(after["publication_id"]) == 1
    tries = await client.get(
        f"/api/workspaces/{world.workspace_id}/publications/{after['publication_id']}/attempts",
        headers=world.passport(workspace_id=world.workspace_id, role="viewer"),
    )
    assert [(row["number"], row["outcome"]) for row in tries.json()["attempts"]] == [
        (1, "outcome_unknown"), (2, "published"),
    ]  # fmt: skip


async def test_what_was_done_at_the_platform_is_not_done_again(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.platform.before["publish"].append(raising(Rejected("too_long", "the text is too long", advice="Shorten it.")))
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "failed", answers=["try_again"])
    assert (await say(world, client, publication, answer="try_again")).status_code == 200
    (after,) = await world.wait(client, plan, "published")
    assert "tried_again_by_person" in [entry["code"] for entry in after["history"]]
    assert world.platform.uploads == 1


@pytest.mark.promise("P40")
async def test_what_misses_its_window_waits_for_a_word(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    world.content.down = True
    window = {"publish_until": plan.due_at + HOUR, "when_missed": "hold"}
    await world.tell(plan.due().model_copy(update=window))
    await world.wait(client, plan, "planned", code="neighbour_unavailable")
    world.clock.advance(2 * HOUR)
    world.content.down = False
    (missed,) = await world.wait(client, plan, "missed", answers=["give_up", "try_again"])
    assert world.platform.posts == []
    (told,) = await world.bus.wait_told(PublicationMissedV1)
    assert (told.when_missed, str(told.publication_id)) == ("hold", missed["publication_id"])  # type: ignore[attr-defined]
    assert (await say(world, client, missed, answer="try_again")).status_code == 200
    await world.wait(client, plan, "published")


async def test_a_post_that_is_given_up_stays_given_up(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)
    assert (await say(world, client, publication, answer="give_up")).status_code == 200
    (after,) = await world.wait(client, plan, "failed", code="given_up_by_person")
    assert states(after)[-1] == "failed"


@pytest.mark.parametrize("answer", list(Answer))
async def test_where_nothing_is_to_decide_nothing_changes(world: World, client: httpx.AsyncClient, answer: Answer):
    plan = world.plan(ahead=3 * HOUR)
    await world.tell(plan.created())
    (planned,) = await world.wait(client, plan, "planned", answers=[])
    refused = await say(world, client, planned, answer=answer)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:nothing-to-decide")
    assert await world.seen(client, schedule_id=plan.schedule_id) == [planned]


async def test_nobody_tries_last_weeks_post_again(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)
    world.clock.advance(timedelta(days=8))
    refused = await say(world, client, publication, answer="try_again")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:answer-too-late")
    (after,) = await world.seen(client, schedule_id=plan.schedule_id)
    assert after["answers"] == ["give_up", "is_there"]


@pytest.mark.promise("P07")
async def test_only_who_may_resolve_is_heard(world: World, client: httpx.AsyncClient):
    _, publication = await undecided(world, client)
    assert (await say(world, client, publication, role="viewer", answer="give_up")).status_code == 403
    for body in ({"answer": "perhaps"}, {"answer": "is_there", "url": "javascript:alert(1)"}, {}):
        assert (await say(world, client, publication, **body)).status_code in (400, 422), body


async def test_journals_of_what_nobody_tries_again_are_forgotten(world: World, client: httpx.AsyncClient):
    plan, publication = await undecided(world, client)

    async def journals() -> int:
        async with world.units() as store:
            assert isinstance(store, Store)
            return int(await store._transaction.scalar("SELECT count(*) FROM journal"))

    assert await journals() == 1
    world.clock.advance(timedelta(days=31))

    async def forgotten() -> bool:
        return await journals() == 0

    await wait_for(forgotten, 15)
    assert (await world.seen(client, schedule_id=plan.schedule_id))[0]["state"] == publication["state"]


def test_every_answer_is_a_move_that_there_is():
    leads_to = {Answer.IS_THERE: State.PUBLISHED, Answer.TRY_AGAIN: State.STAGING, Answer.GIVE_UP: State.FAILED}
    for state, answers in ANSWERS.items():
        assert {leads_to[answer] for answer in answers} <= MOVES[state]
