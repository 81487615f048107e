"""Was it posted? Lost answers before and after the effect, for authors who can be read and for those who cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import pytest
from kit.clock import FixedClock
from platforms.errors import OutcomeUnknown, Rejected, Transient
from platforms.linkedin.looking import made_at
from platforms.platform import Platform
from platforms.shape import Absent, Call, Delivery, Media, Published, Undecided
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.linkedin.conftest import settled

CREATE = "POST /rest/posts"


async def lose(linkedin: Platform, call: Call, delivery: Delivery, journal: MemoryJournal) -> None:
    await linkedin.stage(call, delivery, journal)
    with pytest.raises(OutcomeUnknown):
        await linkedin.publish(call, delivery, journal)


async def test_an_organisations_post_without_an_answer_is_found_and_not_repeated(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    delivery = make_post(image, text="Fresh (paint) #red")
    sandbox.add_fault("linkedin", CREATE, "reset_after")
    await lose(linkedin, organisation, delivery, journal)
    finding = await linkedin.reconcile(organisation, delivery, journal)
    assert isinstance(finding, Published)
    (post,) = sandbox.truth.posts("linkedin")
    assert (finding.receipt.post_id, post.writes) == (post.post_id, 1)
    assert isinstance(await linkedin.publish(organisation, delivery, journal), Published)
    assert sandbox.requests("linkedin", CREATE) == 1


async def test_an_organisations_post_that_never_arrived_is_repeated_once(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    sandbox.add_fault("linkedin", CREATE, "reset_before")
    await lose(linkedin, organisation, make_post(), journal)
    with pytest.raises(Transient, match="not_listed_yet"):
        await linkedin.reconcile(organisation, make_post(), journal)
    clock.advance(timedelta(seconds=61))
    assert isinstance(await linkedin.reconcile(organisation, make_post(), journal), Absent)
    assert isinstance(await settled(linkedin, organisation, make_post(), journal, clock), Published)
    assert len(sandbox.truth.posts("linkedin")) == 1


async def test_a_list_that_lags_is_no_proof(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: LinkedInSandbox,
    clock: FixedClock,
):
    server.state.listing_lag_seconds = 30
    sandbox.add_fault("linkedin", CREATE, "reset_after")
    await lose(linkedin, organisation, make_post(), journal)
    with pytest.raises(Transient):
        await linkedin.reconcile(organisation, make_post(), journal)
    clock.advance(timedelta(seconds=31))
    assert isinstance(await linkedin.reconcile(organisation, make_post(), journal), Published)


async def test_an_older_post_with_the_same_words_is_not_ours(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    await linkedin.publish(organisation, make_post(), MemoryJournal())
    clock.advance(timedelta(hours=1))
    sandbox.add_fault("linkedin", CREATE, "reset_before")
    await lose(linkedin, organisation, make_post(), journal)
    clock.advance(timedelta(seconds=61))
    assert isinstance(await linkedin.reconcile(organisation, make_post(), journal), Absent)


async def test_two_posts_that_look_alike_are_for_a_person(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: LinkedInSandbox,
    clock: FixedClock,
):
    sandbox.add_fault("linkedin", CREATE, "reset_after")
    await lose(linkedin, organisation, make_post(), journal)
    clock.advance(timedelta(minutes=11))
    await linkedin.publish(organisation, make_post(), MemoryJournal())
    finding = await linkedin.reconcile(organisation, make_post(), journal)
    assert isinstance(finding, Undecided)
    assert sorted(finding.evidence["posts"]) == sorted(server.state.posts)


@pytest.mark.parametrize(("fault", "finding"), [("reset_before", Undecided), ("reset_after", Published)])
async def test_a_twin_with_other_files_is_told_apart(
    fault: Literal["reset_before", "reset_after"],
    finding: type[Undecided | Published],
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    twin = MemoryJournal()
    await linkedin.stage(organisation, make_post(image), twin)
    await linkedin.publish(organisation, make_post(image), twin)
    sandbox.add_fault("linkedin", CREATE, fault)
    await lose(linkedin, organisation, make_post(image), journal)
    found = await linkedin.reconcile(organisation, make_post(image), journal)
    assert type(found) is finding
    assert journal.facts.get("post_urn") != twin.facts["post_urn"]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
async def test_a_members_doubt_is_for_a_person_and_a_repetition_settles_it(
    fault: str,
    linkedin: Platform,
    member: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    """Within minutes LinkedIn itself refuses the second of two posts and names the first."""
    delivery = make_post(image)
    sandbox.add_fault("linkedin", CREATE, fault)
    await lose(linkedin, member, delivery, journal)
    finding = await linkedin.reconcile(member, delivery, journal)
    assert isinstance(finding, Undecided)
    assert finding.evidence["first_tried"]
    outcome = await linkedin.publish(member, delivery, journal)
    assert isinstance(outcome, Published)
    (post,) = sandbox.truth.posts("linkedin")
    assert (post.post_id, post.writes) == (outcome.receipt.post_id, 1)
    assert outcome.receipt.evidence.get("adopted", False) is (fault == "reset_after")


async def test_a_duplicate_of_somebody_elses_post_is_refused(
    linkedin: Platform,
    member: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    await linkedin.publish(member, make_post(), MemoryJournal())
    with pytest.raises(Rejected, match="DUPLICATE_POST"):
        await linkedin.publish(member, make_post(), journal)
    clock.advance(timedelta(minutes=5))
    sandbox.add_fault("linkedin", CREATE, "reset_before")
    await lose(linkedin, member, make_post(), journal)
    with pytest.raises(Rejected, match="DUPLICATE_POST"):
        await linkedin.publish(member, make_post(), journal)
    assert len(sandbox.truth.posts("linkedin")) == 1


async def test_the_name_of_a_removed_post_is_not_adopted(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: LinkedInSandbox,
):
    sandbox.add_fault("linkedin", CREATE, "reset_after")
    await lose(linkedin, organisation, make_post(), journal)
    (made,) = server.state.posts.values()
    made.removed = made.post.removed = True
    with pytest.raises(Rejected, match="DUPLICATE_POST"):
        await linkedin.publish(organisation, make_post(), journal)
    assert "post_urn" not in journal.facts


async def test_an_attempt_that_was_refused_leaves_no_doubt(
    linkedin: Platform, member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    sandbox.add_fault("linkedin", CREATE, "answer", status=400, body={"code": "MISSING_FIELD"})
    with pytest.raises(Rejected):
        await linkedin.publish(member, make_post(), journal)
    assert isinstance(await linkedin.reconcile(member, make_post(), journal), Absent)


def test_a_posts_number_tells_its_time():
    """The vector is a public post of which the day is known."""
    moment = made_at("urn:li:share:7141138937766391808")
    assert moment
    assert moment.date().isoformat() == "2023-12-14"
    assert made_at("urn:li:share:12") is None
