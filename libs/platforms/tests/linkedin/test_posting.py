"""A post's way to LinkedIn, judged by the sandbox's truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import OutcomeUnknown, RateLimited, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, MediaKind, Processing, Published, Refused
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal

from libs.platforms.tests.linkedin.conftest import ORGANISATION, staged

CREATE = "POST /rest/posts"


async def test_a_members_text_is_out_with_every_character(
    go: Callable[..., Any], member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    text = "Doors (red) & {walls} <new> [1] | a_b *c* ~d~ \\e #paint mail@example.test 100% #1"
    outcome = await go(member, make_post(text=text, visibility="CONNECTIONS", reshare_disabled=True), journal)
    assert isinstance(outcome, Published)
    (post,) = sandbox.truth.posts("linkedin")
    assert (post.text, post.account_id, post.post_id) == (text, member.grant.account_id, outcome.receipt.post_id)
    assert (post.settings["visibility"], post.settings["isReshareDisabledByAuthor"]) == ("CONNECTIONS", True)
    assert outcome.receipt.url
    assert "Doors (red)" in (await member.http.get(outcome.receipt.url)).text


async def test_a_mention_links_the_name(
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    server: LinkedInSandbox,
):
    mentions = [{"name": "Brand (Two)", "urn": "urn:li:organization:123"}]
    outcome = await go(organisation, make_post(text="With @Brand (Two).", mentions=mentions), journal)
    (made,) = server.state.posts.values()
    assert made.urn == outcome.receipt.post_id
    assert made.body["commentary"] == r"With @[Brand \(Two\)](urn:li:organization:123)."
    assert made.post.text == "With @Brand (Two)."


async def test_one_image_and_several_reach_the_organisation(
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    make_media: Callable[..., Media],
    sandbox: Sandbox,
):
    images = [make_media(MediaKind.IMAGE, size=10_000 + n, alt_text=f"Door {n}") for n in range(3)]
    await go(organisation, make_post(images[0]), MemoryJournal())
    await go(organisation, make_post(*images, text="All of them"), MemoryJournal())
    one, several = sandbox.truth.posts("linkedin", ORGANISATION)
    assert [(file.sha256, file.alt_text) for file in one.media] == [(images[0].sha256, "Door 0")]
    assert [(file.sha256, file.alt_text) for file in several.media] == [(i.sha256, i.alt_text) for i in images]
    assert "multiImage" in several.settings["content"]


async def test_a_video_is_sent_in_the_parts_that_were_named(
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    outcome = await go(organisation, make_post(video, title="The door opens"), journal)
    assert outcome.receipt.post_id.startswith("urn:li:ugcPost:")
    (post,) = sandbox.truth.posts("linkedin")
    assert post.media[0].sha256 == video.sha256
    assert post.settings["content"]["media"]["title"] == "The door opens"
    assert isinstance(video.source, BytesSource)
    assert video.source.spans == [(0, 4_194_304), (4_194_304, 5_000_000)]


async def test_a_document_keeps_its_title(
    go: Callable[..., Any],
    member: Call,
    make_post: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    paper = make_media(MediaKind.DOCUMENT, size=9_000, content_type="application/pdf")
    await go(member, make_post(paper, title="Paints of the year"), journal)
    (post,) = sandbox.truth.posts("linkedin")
    assert (post.media[0].sha256, post.settings["content"]["media"]["title"]) == (paper.sha256, "Paints of the year")


async def test_a_link_has_its_picture_and_words(
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    link = {"link": "https://example.test/doors", "link_title": "Doors", "link_description": "All red"}
    await go(organisation, make_post(image, **link), journal)
    (post,) = sandbox.truth.posts("linkedin")
    article = post.settings["content"]["article"]
    assert (article["source"], article["title"], article["description"]) == (*link.values(),)
    assert post.media[0].sha256 == image.sha256


async def test_a_poll_is_asked(
    go: Callable[..., Any], member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    poll = {"options": ["Red", "Green"], "minutes": 10_080}
    await go(member, make_post(poll=poll, poll_question="Which door?"), journal)
    (post,) = sandbox.truth.posts("linkedin")
    assert post.settings["content"]["poll"] == {
        "question": "Which door?",
        "options": [{"text": "Red"}, {"text": "Green"}],
        "settings": {"duration": "SEVEN_DAYS"},
    }


async def test_the_first_comment_follows_once(
    go: Callable[..., Any],
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    delivery = make_post(first_comment="More (soon)")
    outcome = await go(organisation, delivery, journal)
    assert outcome.receipt.evidence["comment_id"]
    await linkedin.publish(organisation, delivery, journal)
    (post,) = sandbox.truth.posts("linkedin")
    assert post.settings["comments"] == ["More (soon)"]


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
async def test_a_comment_without_an_answer_is_looked_for(
    fault: str,
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    sandbox.add_fault("linkedin", "POST /rest/socialActions/*", fault)
    await go(organisation, make_post(first_comment="More soon"), journal)
    (post,) = sandbox.truth.posts("linkedin")
    assert post.settings["comments"] == ["More soon"]


async def test_a_members_comment_without_an_answer_is_not_repeated(
    go: Callable[..., Any], member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    sandbox.add_fault("linkedin", "POST /rest/socialActions/*", "reset_after")
    outcome = await go(member, make_post(first_comment="More soon"), journal)
    assert outcome.receipt.evidence["comment_refused"] == "comment_unknown"
    (post,) = sandbox.truth.posts("linkedin")
    assert post.settings["comments"] == ["More soon"]


async def test_a_refused_comment_leaves_the_post_published(
    go: Callable[..., Any], member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    sandbox.add_fault("linkedin", "POST /rest/socialActions/*", "answer", status=400, body={"code": "MISSING_FIELD"})
    outcome = await go(member, make_post(first_comment="More soon"), journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.evidence["comment_refused"] == "MISSING_FIELD"


@pytest.mark.parametrize(
    "route",
    [
        "POST /rest/videos",
        "PUT /dms-uploads/*",
        "GET /rest/videos/*",
    ],
)
@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
@pytest.mark.parametrize("skip", [0, 1])
async def test_staging_goes_on_where_it_was_interrupted(
    route: str,
    fault: Any,
    skip: int,
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    sandbox.add_fault("linkedin", route, fault, skip=skip)
    delivery = make_post(video)
    for _ in range(4):
        try:
            await staged(linkedin, organisation, delivery, journal, clock)
            break
        except Transient:
            continue
    await linkedin.publish(organisation, delivery, journal)
    (post,) = sandbox.truth.posts("linkedin")
    assert post.media[0].sha256 == video.sha256
    assert (post.writes, sandbox.requests("linkedin", CREATE)) == (1, 1)


async def test_a_part_that_arrived_is_not_sent_again(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    sandbox.add_fault("linkedin", "PUT /dms-uploads/*", "reset_before", skip=1)
    with pytest.raises(Transient):
        await linkedin.stage(organisation, make_post(video), journal)
    await staged(linkedin, organisation, make_post(video), journal, clock)
    assert isinstance(video.source, BytesSource)
    assert [start for start, _ in video.source.spans].count(0) == 1


async def test_an_upload_address_that_ran_out_is_asked_for_anew(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    sandbox.add_fault("linkedin", "PUT /dms-uploads/*", "reset_before")
    with pytest.raises(Transient):
        await linkedin.stage(organisation, make_post(image), journal)
    clock.advance(timedelta(days=2))
    with pytest.raises(Transient, match="upload_expired"):
        await linkedin.stage(organisation, make_post(image), journal)
    await linkedin.stage(organisation, make_post(image), journal)
    assert len(sandbox.of(LinkedInSandbox).state.assets) == 2


async def test_the_addresses_of_uploads_are_a_secret_fact_of_their_own(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
):
    sandbox.add_fault("linkedin", "PUT /dms-uploads/*", "reset_before")
    with pytest.raises(Transient):
        await linkedin.stage(organisation, make_post(image), journal)
    assert [name for name, value in journal.facts.items() if "dms-uploads" in str(value)] == ["uploads"]
    assert linkedin.secret_facts == ("uploads",)
    await journal.record(uploads=Secret(journal.facts["uploads"]))
    await linkedin.stage(organisation, make_post(image), journal)
    assert sandbox.requests("linkedin", "POST /rest/images") == 1


async def test_a_file_that_cannot_be_processed_is_refused(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    image: Media,
    journal: MemoryJournal,
    server: LinkedInSandbox,
):
    server.plan_outcome({"media": "PROCESSING_FAILED"})
    with pytest.raises(Rejected, match="media_failed"):
        await linkedin.stage(organisation, make_post(image), journal)


async def test_who_may_not_look_at_files_posts_without_looking(
    linkedin: Platform,
    connect: Callable[..., Any],
    make_post: Callable[..., Delivery],
    video: Media,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
):
    call = await connect(scopes=["r_basicprofile", "w_member_social"])
    delivery = make_post(video)
    await linkedin.stage(call, delivery, journal)
    with pytest.raises(RateLimited, match="MEDIA_ASSET_WAITING_UPLOAD"):
        await linkedin.publish(call, delivery, journal)
    clock.advance(timedelta(seconds=10))
    assert isinstance(await linkedin.publish(call, delivery, journal), Published)
    assert len(sandbox.truth.posts("linkedin")) == 1


async def test_a_post_that_linkedin_took_but_does_not_show_is_refused(
    go: Callable[..., Any],
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    server: LinkedInSandbox,
    sandbox: Sandbox,
):
    server.plan_outcome({"lifecycle": "PUBLISH_FAILED"})
    outcome = await go(organisation, make_post(), journal)
    assert isinstance(outcome, Refused)
    assert outcome.code == "PUBLISH_FAILED"
    assert sandbox.truth.posts("linkedin") == []


async def test_a_post_that_linkedin_still_works_on_is_waited_for(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    server: LinkedInSandbox,
    clock: FixedClock,
):
    server.plan_outcome({"publish_seconds": 30})
    await linkedin.publish(organisation, make_post(), journal)
    assert isinstance(await linkedin.status(organisation, make_post(), journal), Processing)
    clock.advance(timedelta(seconds=31))
    assert isinstance(await linkedin.status(organisation, make_post(), journal), Published)


@pytest.mark.promise("P42")
@pytest.mark.parametrize(("planned", "minutes", "made"), [
    ({"lifecycle": "PUBLISH_FAILED"}, 1, 2), ({"publish_seconds": 9000}, 1, 1), ({"publish_seconds": 9000}, 61, 2),
])  # fmt: skip
async def test_what_linkedin_took_and_does_not_show_is_made_anew_at_a_persons_word(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    journal: MemoryJournal,
    server: LinkedInSandbox,
    sandbox: Sandbox,
    clock: FixedClock,
    planned: dict[str, Any],
    minutes: int,
    made: int,
):
    server.plan_outcome(planned)
    await linkedin.publish(organisation, make_post(), journal)
    clock.advance(timedelta(minutes=minutes))
    for forgiven in (0, 1):
        told = replace(make_post(), forgiven=forgiven)
        await linkedin.stage(organisation, told, journal)
        await linkedin.publish(organisation, told, journal)
        assert sandbox.requests("linkedin", CREATE) == (made if forgiven else 1)


async def test_an_organisation_posts_to_everyone(
    linkedin: Platform, organisation: Call, make_post: Callable[..., Delivery], journal: MemoryJournal
):
    with pytest.raises(Rejected, match="visibility"):
        await linkedin.stage(organisation, make_post(visibility="CONNECTIONS"), journal)


async def test_an_answer_without_a_name_leaves_the_outcome_unknown(
    linkedin: Platform, member: Call, make_post: Callable[..., Delivery], journal: MemoryJournal, sandbox: Sandbox
):
    sandbox.add_fault("linkedin", CREATE, "answer_after", status=201)
    with pytest.raises(OutcomeUnknown, match="id_missing"):
        await linkedin.publish(member, make_post(), journal)
