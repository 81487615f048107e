"""A published post is taken off its platform by a person's wish: once told, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from contracts.publisher import PublicationRemovedV1
from kit.ids import new_id
from kit.testing import wait_for
from platforms.errors import Misconfigured, RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.removal import NO_CALL, PERMISSION_MISSING, Removal
from platforms.shape import Published, Receipt
from publisher.domain.removal import WITHIN, RemovalState
from publisher.domain.removal import Removal as AnyRemoval
from publisher.domain.waiting import FAILURES_MAX, PAUSE_MIN
from publisher.jobs.removals import LEASE

from services.publisher.tests.conftest import HOUR, World, states
from services.publisher.tests.fakes import Fault, answering, hang, raising

PERSON = new_id()


def path(world: World, publication: dict[str, Any], workspace_id: UUID | None = None) -> str:
    return f"/api/workspaces/{workspace_id or world.workspace_id}/publications/{publication['publication_id']}/post"


async def ask(
    world: World, client: httpx.AsyncClient, publication: dict[str, Any], *, role: str = "editor", by: UUID = PERSON
) -> httpx.Response:
    headers = world.passport(account_id=by, workspace_id=world.workspace_id, role=role)
    return await client.delete(path(world, publication), headers=headers)


async def published(world: World, client: httpx.AsyncClient) -> dict[str, Any]:
    plan = world.plan()
    await world.tell(plan.due())
    (publication,) = await world.wait(client, plan, "published")
    return publication


async def ended(world: World, client: httpx.AsyncClient, state: str) -> dict[str, Any]:
    """The publication once its removal has come to this end."""
    last: list[dict[str, Any]] = []

    async def reached() -> bool:
        last[:] = await world.seen(client)
        return bool(last[0]["removal"]["state"] == state)

    try:
        await wait_for(reached, 15)
    except AssertionError:
        raise AssertionError(f"waited for {state}, but: {last[0]['removal']}") from None
    return last[0]


async def tried(world: World, client: httpx.AsyncClient, tries: int = 1) -> None:
    """Return once so many tries have come to nothing and are written down: only then does the next one wait."""

    async def written() -> bool:
        removal = (await world.seen(client))[0]["removal"]
        return bool(removal["tries"] == tries)

    await wait_for(written)


async def limited(world: World, client: httpx.AsyncClient) -> None:
    """Return once it is written down that the platform wants us to wait."""

    async def written() -> bool:
        return bool((await world.seen(client))[0]["removal"]["code"] == "limit")

    await wait_for(written)


@pytest.mark.promise("P42")
async def test_a_post_is_taken_off_and_said_to_be(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    asked = await ask(world, client, publication)
    assert asked.status_code == 202, asked.text
    assert asked.json()["removal"] | {"asked_at": None} == {
        "state": "asked", "asked_by": str(PERSON), "asked_at": None, "tries": 0, "ended_at": None, "code": None,
        "detail": None, "advice": None, "evidence": None,
    }  # fmt: skip
    after = await ended(world, client, "removed")
    assert world.platform.posts == []
    assert after["removal"]["evidence"] == {"removed": [after["platform_post_id"]], "found": True}
    assert after["removal"]["ended_at"] is not None
    assert (after["state"], states(after)[-2:]) == ("published", ["removal_asked", "removed"])
    assert [entry["actor"] for entry in after["history"][-2:]] == [str(PERSON), None]
    (told,) = await world.bus.wait_told(PublicationRemovedV1)
    assert str(told.publication_id) == publication["publication_id"]  # type: ignore[attr-defined]
    await wait_for(lambda: not world.auth.out)


@pytest.mark.promise("P43")
@pytest.mark.parametrize(("moment", "found"), [("before", True), ("after", False)])
async def test_a_publisher_that_dies_in_the_call_is_followed_by_another(world: World, moment: str, found: bool):
    faults = getattr(world.platform, moment)["remove"]
    async with world.start() as client:
        publication = await published(world, client)
        faults.append(hang)
        await ask(world, client, publication)
        await wait_for(lambda: not faults, what="the call that hangs")
    async with world.start() as client:
        assert (await world.seen(client))[0]["removal"]["state"] == "removing"
        world.clock.advance(LEASE + timedelta(seconds=1))
        after = await ended(world, client, "removed")
        await world.bus.wait_told(PublicationRemovedV1)
    assert (world.platform.posts, world.platform.calls["remove"]) == ([], 2)
    assert after["removal"]["evidence"]["found"] is found
    assert len(await world.bus.told(PublicationRemovedV1)) == 1


@pytest.mark.promise("P43")
async def test_one_that_was_only_slow_tells_nothing_a_second_time(world: World):
    go_on = asyncio.Event()

    async def slow() -> None:
        await go_on.wait()

    async with world.start() as client:
        publication = await published(world, client)
        world.platform.before["remove"].append(slow)
        await ask(world, client, publication)
        await wait_for(lambda: world.platform.calls["remove"] == 1)
        async with world.start() as other:
            world.clock.advance(LEASE + timedelta(seconds=1))
            after = await ended(world, other, "removed")
            go_on.set()
            await wait_for(lambda: not world.auth.out)
            await world.bus.wait_told(PublicationRemovedV1)
            assert await world.seen(other) == [after]
    assert len(await world.bus.told(PublicationRemovedV1)) == 1


@pytest.mark.promise("P42")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("error", [Transient("no_answer", "cut"), ValueError("a defect")])
async def test_a_try_that_came_to_nothing_is_repeated(
    world: World, client: httpx.AsyncClient, moment: str, error: Exception
):
    publication = await published(world, client)
    getattr(world.platform, moment)["remove"].append(raising(error))
    await ask(world, client, publication)
    await tried(world, client)
    world.clock.advance(timedelta(seconds=10))
    after = await ended(world, client, "removed")
    assert (after["removal"]["tries"], world.platform.posts) == (1, [])


async def test_what_somebody_removed_at_the_platform_is_removed(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.platform.posts.clear()
    await ask(world, client, publication)
    after = await ended(world, client, "removed")
    assert after["removal"]["evidence"] == {"not_there": [publication["platform_post_id"]], "found": False}
    await world.bus.wait_told(PublicationRemovedV1)


@pytest.mark.promise("P42")
async def test_a_dead_grant_is_told_and_the_person_is_told_where_to_remove_it(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.platform.before["remove"].append(raising(ReauthorisationNeeded("invalid_token", "it is dead")))
    await ask(world, client, publication)
    await tried(world, client)
    assert world.auth.dead == [(UUID(publication["connection_id"]), "invalid_token")]
    world.clock.advance(timedelta(seconds=10))
    after = await ended(world, client, "failed")
    assert after["removal"]["code"] == "reauth_required"
    assert world.platform.removal.url in after["removal"]["advice"]
    assert len(world.platform.posts) == 1


@pytest.mark.promise("P26")
async def test_a_disconnect_meanwhile_ends_it_with_the_place_to_do_it(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.auth.refusals[UUID(publication["connection_id"])] = "revoked"
    await wait_for(lambda: not world.auth.out)
    await ask(world, client, publication)
    after = await ended(world, client, "failed")
    assert (after["removal"]["code"], world.platform.calls["remove"]) == ("connection_revoked", 0)
    assert world.platform.removal.url in after["removal"]["advice"]


@pytest.mark.promise("P42")
async def test_a_rate_limit_is_waited_for_but_not_for_ever(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    soon, never = world.clock.now() + HOUR, world.clock.now() + WITHIN + 2 * HOUR
    world.platform.before["remove"] += [
        raising(RateLimited("limit", "too many", until=until)) for until in (soon, never)
    ]
    await ask(world, client, publication)
    await limited(world, client)
    world.clock.advance(HOUR / 2)
    assert (await world.seen(client))[0]["removal"]["tries"] == 0
    world.clock.advance(HOUR)
    after = await ended(world, client, "failed")
    assert (after["removal"]["code"], world.platform.calls["remove"]) == ("limit", 2)


def test_a_limit_that_is_over_by_the_platforms_own_word_is_still_given_a_moment():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    removal = AnyRemoval(new_id(), new_id(), None, now, RemovalState.REMOVING, next_at=now)
    after = removal.failed(RateLimited("limit", "too many", until=now - HOUR), None, now)
    assert after.next_at == now + PAUSE_MIN
    assert after.tries == 0


@pytest.mark.promise("P42")
async def test_tries_have_an_end(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.platform.before["remove"] += [raising(Transient("down", "no answer"))] * FAILURES_MAX
    await ask(world, client, publication)
    for tries in range(1, FAILURES_MAX):
        await tried(world, client, tries)
        world.clock.advance(timedelta(minutes=6))
    after = await ended(world, client, "failed")
    assert (after["removal"]["code"], after["removal"]["tries"]) == ("platform_unavailable", FAILURES_MAX)


@pytest.mark.promise("P42")
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (raising(Rejected("blocked", "the account is blocked", advice="Choose another text.")), "failed"),
        (raising(Misconfigured("app", "our application is switched off")), "failed"),
        (raising(Rejected(PERMISSION_MISSING, "not permitted", advice="Connect it again.")), "not_possible"),
    ],
)
async def test_what_is_refused_says_what_to_do_and_can_be_asked_again(
    world: World, client: httpx.AsyncClient, fault: Fault, state: str
):
    publication = await published(world, client)
    world.platform.before["remove"].append(fault)
    await ask(world, client, publication)
    after = await ended(world, client, state)
    assert after["removal"]["advice"] in ("Connect it again.", world.platform.removal.advice)
    assert len(world.platform.posts) == 1
    again = await ask(world, client, publication, by=new_id())
    assert (again.status_code, again.json()["removal"]["state"]) == (202, "asked")
    after = await ended(world, client, "removed")
    assert states(after)[-4:] == ["removal_asked", f"removal_{state}", "removal_asked", "removed"]


async def test_where_only_a_person_can_do_it_that_is_said_at_once(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.platform.removal = Removal("https://social.example/", "In the app.", offered=False)
    asked = (await ask(world, client, publication)).json()["removal"]
    assert (asked["state"], asked["code"]) == ("not_possible", NO_CALL)
    assert "https://social.example/" in asked["advice"]
    assert world.platform.calls["remove"] == 0


async def test_two_persons_who_ask_get_one_removal(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    world.platform.before["remove"].append(raising(RateLimited("limit", "wait", until=world.clock.now() + HOUR)))
    answers = [await ask(world, client, publication, by=by) for by in (PERSON, new_id())]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["removal"]["asked_by"] for answer in answers] == [str(PERSON)] * 2
    await limited(world, client)
    world.clock.advance(2 * HOUR)
    after = await ended(world, client, "removed")
    assert (await ask(world, client, publication, by=new_id())).json() == after
    assert states(after).count("removal_asked") == 1
    assert world.platform.calls["remove"] == 2


@pytest.mark.promise("P07")
async def test_only_who_may_remove_is_heard_and_only_at_home(world: World, client: httpx.AsyncClient):
    publication = await published(world, client)
    for role in ("viewer", "approver"):
        refused = await ask(world, client, publication, role=role)
        assert (refused.status_code, refused.json()["needs"]) == (403, "publication.remove")
    elsewhere = new_id()
    headers = world.passport(account_id=PERSON, workspace_id=elsewhere, role="owner")
    assert (await client.delete(path(world, publication, elsewhere), headers=headers)).status_code == 404
    unknown = await ask(world, client, {"publication_id": new_id()})
    assert unknown.status_code == 404
    assert (await world.seen(client))[0]["removal"] is None
    assert len(world.platform.posts) == 1


async def test_what_is_not_out_cannot_be_removed(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=3 * HOUR)
    await world.tell(plan.created())
    (planned,) = await world.wait(client, plan, "planned")
    refused = await ask(world, client, planned)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:nothing-published")
    assert "cancel its schedule" in refused.json()["detail"]


async def test_a_post_whose_id_was_never_told_is_left_to_the_person(world: World, client: httpx.AsyncClient):
    world.platform.before["publish"].append(answering(Published(Receipt(None, "https://social.example/7", {}))))
    publication = await published(world, client)
    refused = await ask(world, client, publication)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:signoff:problem:post-unidentified")
    assert "https://social.example/7" in refused.json()["detail"]
