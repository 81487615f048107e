"""The real clients over real HTTP, against platforms that lose answers: what is public is what was approved, once."""

from __future__ import annotations

import httpx
import pytest
from contracts.publisher import PublicationIdentifiedV1, PublicationRemovedV1
from kit.ids import new_id
from kit.testing import wait_for
from platforms.shape import PlatformName
from sandbox.truth import Post

from services.publisher.tests.conftest import HOUR
from services.publisher.tests.sandboxed import Platforms, platforms

__all__ = ["platforms"]

PUT_RECORD = "POST /xrpc/com.atproto.repo.putRecord"
PUT_VIDEO = "PUT /video/*"
POST_TWEET = "POST /2/tweets"


@pytest.mark.promise("P40")
async def test_a_post_with_an_image_reaches_bluesky(platforms: Platforms):
    plan = await platforms.plan(PlatformName.BLUESKY)
    await platforms.world.tell(plan.created(), plan.due())
    (publication,) = await platforms.world.wait(platforms.client, plan, "published")
    platforms.check_truth(PlatformName.BLUESKY, plan)
    (post,) = platforms.sandbox.truth.posts("bluesky")
    assert publication["platform_post_id"] == post.post_id
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert "Fresh paint" in (await browser.get(publication["url"])).text


@pytest.mark.promise("P40")
async def test_a_video_in_several_chunks_reaches_tiktok(platforms: Platforms):
    plan = await platforms.plan(PlatformName.TIKTOK, size=31_000_000)
    await platforms.world.tell(plan.created(), plan.due())
    await platforms.world.wait(platforms.client, plan, "published", timeout_seconds=30)
    platforms.check_truth(PlatformName.TIKTOK, plan)
    platforms.world.clock.advance(HOUR / 30)

    async def identified() -> bool:
        (publication,) = await platforms.world.seen(platforms.client)
        return publication["platform_post_id"] is not None

    await wait_for(identified, 20)
    (publication,) = await platforms.world.seen(platforms.client)
    (post,) = platforms.sandbox.truth.posts("tiktok")
    assert publication["platform_post_id"] == post.post_id
    assert len(await platforms.world.bus.told(PublicationIdentifiedV1)) <= 1


@pytest.mark.promise("P43")
@pytest.mark.parametrize(("name", "route"), [(PlatformName.BLUESKY, PUT_RECORD), (PlatformName.TIKTOK, PUT_VIDEO)])
@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "answer", "answer_after"])
async def test_a_lost_answer_to_the_visible_step_neither_doubles_nor_loses_the_post(
    platforms: Platforms, name: PlatformName, route: str, fault: str
):
    plan = await platforms.plan(name)
    platforms.sandbox.add_fault(name.value, route, fault)
    await platforms.world.tell(plan.created(), plan.due())
    await platforms.world.wait(platforms.client, plan, "published", timeout_seconds=40)
    platforms.check_truth(name, plan)


@pytest.mark.promise("P43")
@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "answer"])
async def test_a_post_leaves_the_platform_whatever_is_answered(platforms: Platforms, fault: str):
    plan = await platforms.plan(PlatformName.BLUESKY)
    await platforms.world.tell(plan.created(), plan.due())
    (publication,) = await platforms.world.wait(platforms.client, plan, "published")
    platforms.sandbox.add_fault("bluesky", "POST /xrpc/com.atproto.repo.deleteRecord", fault)
    path = f"/api/workspaces/{plan.workspace_id}/publications/{publication['publication_id']}/post"
    headers = platforms.world.passport(workspace_id=plan.workspace_id, role="editor")
    assert (await platforms.client.delete(path, headers=headers)).status_code == 202

    async def tried() -> bool:
        return bool((await platforms.world.seen(platforms.client))[0]["removal"]["tries"])

    await wait_for(tried)
    platforms.world.clock.advance(HOUR / 60)
    await platforms.world.bus.wait_told(PublicationRemovedV1)
    assert platforms.sandbox.truth.posts("bluesky") == []


@pytest.mark.promise("P42")
@pytest.mark.promise("P43")
async def test_what_x_cannot_tell_is_repeated_at_a_persons_word_alone(platforms: Platforms):
    """Behind 500 other posts X's list does not say whether ours is out."""
    world, person = platforms.world, new_id()
    plan = await platforms.plan(PlatformName.X)
    platforms.sandbox.add_fault("x", POST_TWEET, "reset_before")
    grant = world.auth.grants[plan.connection_ids[0]]
    for number in range(501):
        other = Post("x", grant.account_id, str(10**18 + number), "busy day", (), {}, world.clock.now())
        platforms.sandbox.truth.add(other)
    await world.tell(plan.due())
    (publication,) = await world.wait(platforms.client, plan, "needs_attention", code="undecided")
    assert platforms.sandbox.requests("x", POST_TWEET) == 1
    said = await platforms.client.post(
        f"/api/workspaces/{plan.workspace_id}/publications/{publication['publication_id']}/answer",
        json={"answer": "try_again"},
        headers=world.passport(account_id=person, workspace_id=plan.workspace_id, role="editor"),
    )
    assert said.status_code == 200, said.text
    (after,) = await world.wait(platforms.client, plan, "published")
    assert platforms.sandbox.requests("x", POST_TWEET) == 2
    assert [post.text for post in platforms.sandbox.truth.posts("x")].count("Fresh paint #door") == 1
    (word,) = [entry for entry in after["history"] if entry["code"] == "tried_again_by_person"]
    assert (word["actor"], word["state"]) == (str(person), "staging")
    assert word["at"] >= publication["history"][-1]["at"]


@pytest.mark.promise("P42")
async def test_a_rate_limit_of_the_platform_is_waited_for(platforms: Platforms):
    plan = await platforms.plan(PlatformName.BLUESKY)
    reset_at = platforms.world.clock.now() + HOUR
    platforms.sandbox.add_fault(
        "bluesky",
        PUT_RECORD,
        "answer",
        status=429,
        body={"error": "RateLimitExceeded"},
        headers={"ratelimit-reset": str(int(reset_at.timestamp()))},
    )
    await platforms.world.tell(plan.created(), plan.due())
    await platforms.world.wait(platforms.client, plan, "staging", code="ratelimitexceeded")
    (connection_id,) = plan.connection_ids
    alike = platforms.world.plan_for(
        platforms.world.content.approve(plan.workspace_id, plan.connection_ids, text="Second coat")
    )
    await platforms.world.tell(alike.due())
    await platforms.world.wait(platforms.client, alike, "staged", code="budget")
    assert platforms.sandbox.truth.posts("bluesky") == []
    assert [each.route for each in platforms.sandbox.arrivals("bluesky")].count(PUT_RECORD) == 1
    # A grant that outlasts the wait, there before anybody asks for it again.
    platforms.world.clock.advance(HOUR / 2)
    platforms.world.auth.grants[connection_id] = await platforms.grant(PlatformName.BLUESKY)
    platforms.world.clock.advance(HOUR * 0.52)
    for each in (plan, alike):
        await platforms.world.wait(platforms.client, each, "published", timeout_seconds=20)
    posts = platforms.sandbox.truth.posts("bluesky")
    assert sorted((post.text, post.writes) for post in posts) == [("Fresh paint #door", 1), ("Second coat", 1)]
