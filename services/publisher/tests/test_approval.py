"""Nothing goes out but what was approved, byte for byte, and nothing after it was taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from contracts.publisher import PublicationCancelledV1, PublicationFailedV1
from contracts.sealing import SealedMedia, SealedRevision
from kit.keys import SigningKey
from kit.testing import wait_for

from services.publisher.tests.conftest import HOUR, Plan, World
from services.publisher.tests.neighbours import store_media

IMAGE = b"\x89PNG" + bytes(2_500_000)


def stored(world: World, content: bytes = IMAGE) -> SealedMedia:
    """An image in the object store, sealed as `IMAGE` whatever its bytes are."""
    return store_media(world.environment["OBJECT_STORE_URL"], content, sealed_as=IMAGE)


async def refused(world: World, client: httpx.AsyncClient, plan: Plan, state: str, code: str) -> dict[str, Any]:
    """The plan ended in a state without the platform having heard of it."""
    await world.tell(plan.created(), plan.due())
    (publication,) = await world.wait(client, plan, state, code=code)
    assert world.platform.calls["publish"] == 0
    assert world.platform.posts == []
    return publication


@pytest.mark.promise("P32")
async def test_a_changed_text_is_not_sent(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    (variant,) = plan.revision.variants
    changed = variant.model_copy(update={"text": "Something else"})
    world.content.keep(plan.revision.model_copy(update={"variants": (changed,)}))
    publication = await refused(world, client, plan, "failed", "seal_mismatch")
    assert "approved" in publication["advice"]
    assert world.platform.calls["stage"] == 0
    (told,) = await world.bus.wait_told(PublicationFailedV1)
    assert told.code == "seal_mismatch"  # type: ignore[attr-defined]


@pytest.mark.promise("P32")
@pytest.mark.parametrize("signer", ["publisher", "scheduler"])
async def test_a_seal_of_anyone_but_content_is_refused(
    world: World, client: httpx.AsyncClient, keys_folder: Path, signer: str
):
    stranger = SigningKey.load(signer, keys_folder / f"{signer}.signing.pem")
    await refused(world, client, world.plan(key=stranger), "failed", "seal_mismatch")


@pytest.mark.promise("P32")
@pytest.mark.parametrize("change", [{"signature": "*"}, {"signature": ""}, {"approved_by": ()}])
async def test_a_broken_seal_is_refused(world: World, client: httpx.AsyncClient, change: dict[str, Any]):
    plan = world.plan()
    assert plan.revision.seal is not None
    seal = plan.revision.seal.model_copy(update=change)
    world.content.keep(plan.revision.model_copy(update={"seal": seal}))
    await refused(world, client, plan, "failed", "seal_mismatch")


@pytest.mark.promise("P32")
async def test_a_connection_that_nothing_was_approved_for_gets_nothing(world: World, client: httpx.AsyncClient):
    plan = world.plan()
    other = world.auth.connect(world.workspace_id)
    await refused(
        world,
        client,
        Plan(plan.workspace_id, plan.schedule_id, plan.revision, (other,), plan.due_at),
        "failed",
        "seal_mismatch",
    )


@pytest.mark.promise("P32")
async def test_exchanged_media_are_noticed_before_anything_is_sent(world: World, client: httpx.AsyncClient):
    plan = world.plan(media=(stored(world, bytes(len(IMAGE))),))
    await refused(world, client, plan, "failed", "seal_mismatch")
    short = world.plan(media=(stored(world, IMAGE[:-1]),))
    await refused(world, client, short, "failed", "seal_mismatch")
    assert world.platform.calls["stage"] == 0


async def test_missing_media_are_told(world: World, client: httpx.AsyncClient):
    media = stored(world)
    (Path(world.environment["OBJECT_STORE_URL"].removeprefix("file://")) / media.object_key).unlink()
    publication = await refused(world, client, world.plan(media=(media,)), "failed", "media_missing")
    assert "Upload" in publication["advice"]


async def test_the_right_media_are_sent(world: World, client: httpx.AsyncClient):
    plan = world.plan(media=(stored(world),))
    await world.tell(plan.due())
    await world.wait(client, plan, "published")


@pytest.mark.promise("P32")
async def test_an_approval_withdrawn_after_staging_stops_the_post(world: World, client: httpx.AsyncClient):
    """Even where the event that tells it has not arrived."""
    plan = world.plan(ahead=HOUR / 12)
    await world.tell(plan.created())
    await world.wait(client, plan, "staged")
    world.content.withdraw(plan.revision)
    await refused(world, client, plan, "cancelled", "approval_withdrawn")
    (told,) = await world.bus.wait_told(PublicationCancelledV1)
    assert told.code == "approval_withdrawn"  # type: ignore[attr-defined]


@pytest.mark.promise("P32")
async def test_a_revision_that_changed_with_a_new_seal_after_staging_is_refused(
    world: World, client: httpx.AsyncClient
):
    plan = world.plan(ahead=HOUR / 12)
    await world.tell(plan.created())
    await world.wait(client, plan, "staged")
    other = world.content.approve(world.workspace_id, plan.connection_ids, text="Approved, but another text")
    renamed = SealedRevision.model_validate(
        other.model_dump() | {"post_id": plan.revision.post_id, "revision_id": plan.revision.revision_id}
    )
    world.content.keep(renamed)
    await refused(world, client, plan, "failed", "seal_mismatch")


@pytest.mark.promise("P35")
async def test_a_cancelled_schedule_is_dropped(world: World, client: httpx.AsyncClient):
    plan, other = world.plan(2, ahead=HOUR / 12), world.plan(2, ahead=HOUR / 12)
    await world.tell(plan.created(), other.created())
    await world.wait(client, plan, "staged")
    await world.wait(client, other, "staged")
    await world.tell(plan.cancelled(), other.cancelled(other.connection_ids[0], reason="connection_revoked"))
    for publication in await world.wait(client, plan, "cancelled"):
        assert publication["code"] == "cancelled_by_person"
    world.clock.advance(HOUR)
    await world.tell(plan.due(), other.due())
    await world.wait(client, other, "cancelled", "published")
    (posted,) = world.platform.posts
    found = {p["publication_id"]: p for p in await world.seen(client)}
    assert found[str(posted[0])]["connection_id"] == str(other.connection_ids[1])


@pytest.mark.promise("P35")
async def test_a_cancellation_that_arrives_first_is_kept(world: World, client: httpx.AsyncClient):
    plan = world.plan(2)
    await world.tell(plan.cancelled())
    await wait_for(lambda: world.bus.settled("publisher-scheduler"))
    await world.tell(plan.created(), plan.due())
    await world.wait(client, plan, "cancelled", code="cancelled_by_person")
    assert world.platform.calls["stage"] == 0
    assert len(await world.bus.wait_told(PublicationCancelledV1, 2)) == 2


@pytest.mark.promise("P35")
async def test_a_post_cancelled_while_it_is_staged_goes_no_further(world: World, client: httpx.AsyncClient):
    plan = world.plan(ahead=HOUR / 12)

    async def cancel() -> None:
        await world.tell(plan.cancelled())
        await world.wait(client, plan, "cancelled")

    world.platform.before["stage"].append(cancel)
    await world.tell(plan.created())
    (publication,) = await world.wait(client, plan, "cancelled")
    await wait_for(lambda: not world.auth.out)
    assert (await world.seen(client, schedule_id=plan.schedule_id)) == [publication]
