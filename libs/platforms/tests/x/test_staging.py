"""A file's way to X: in segments, resumed at each step, sent again when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from platforms.errors import Rejected, Transient
from platforms.platform import Platform
from platforms.shape import Call, Delivery, Media, Published
from platforms.x.limits import SEGMENT_BYTES
from sandbox.server import Sandbox
from sandbox.testing import BytesSource, MemoryJournal
from sandbox.x.platform import XSandbox

from libs.platforms.tests.x.steps import posted, staged

INITIALISE = "POST /2/media/upload/initialize"
APPEND = "POST /2/media/upload/*/append"
FINALISE = "POST /2/media/upload/*/finalize"
DESCRIBE = "POST /2/media/metadata"
STATUS = "GET /2/media/upload"
THREE_SEGMENTS = 2 * SEGMENT_BYTES + 100


async def test_a_large_file_is_sent_in_segments_never_whole(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    video = make_media(size=THREE_SEGMENTS)
    (post,) = await posted(x, call, make_delivery("Long", media=(video,)), journal, clock, sandbox)
    assert isinstance(video.source, BytesSource)
    assert [end - start for start, end in video.source.spans] == [SEGMENT_BYTES, SEGMENT_BYTES, 100]
    assert (post.media[0].sha256, post.media[0].size_bytes) == (video.sha256, THREE_SEGMENTS)


@pytest.mark.parametrize(
    ("route", "kind", "skip", "initialised", "sent"),
    [
        (INITIALISE, "reset_after", 0, 2, [0, 1, 2]),
        (APPEND, "reset_before", 1, 1, [0, 1, 1, 2]),
        # X has the segment although nobody heard so, and takes each only once: the upload is begun anew.
        (APPEND, "reset_after", 1, 2, [0, 1, 1, 0, 1, 2]),
        (FINALISE, "reset_before", 0, 1, [0, 1, 2]),
        (FINALISE, "reset_after", 0, 2, [0, 1, 2, 0, 1, 2]),
        (STATUS, "reset_after", 0, 1, [0, 1, 2]),
    ],
)
async def test_staging_goes_on_where_it_was_cut(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
    route: str,
    kind: str,
    skip: int,
    initialised: int,
    sent: list[int],
) -> None:
    video = make_media(size=THREE_SEGMENTS)
    delivery = make_delivery("Long", media=(video,))
    sandbox.add_fault("x", route, kind, skip=skip)
    failures = 0
    while failures < 5:
        try:
            await staged(x, call, delivery, journal, clock)
            break
        except Transient:
            failures += 1
    assert isinstance(video.source, BytesSource)
    assert [start // SEGMENT_BYTES for start, _ in video.source.spans] == sent
    assert sandbox.requests("x", INITIALISE) == initialised
    await x.publish(call, delivery, journal)
    (post,) = sandbox.truth.posts("x")
    assert post.media[0].sha256 == video.sha256


async def test_a_description_without_an_answer_is_given_again(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("", media=(image(),))
    sandbox.add_fault("x", DESCRIBE, "reset_after")
    with pytest.raises(Transient):
        await x.stage(call, delivery, journal)
    await x.stage(call, delivery, journal)
    await x.stage(call, delivery, journal)
    assert (sandbox.requests("x", INITIALISE), sandbox.requests("x", DESCRIBE)) == (1, 2)


async def test_a_file_that_x_cannot_process_is_refused_with_its_word(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    sandbox.of(XSandbox).plan_outcome({"media_error": "InvalidMedia"})
    with pytest.raises(Rejected, match=r"media_failed.*InvalidMedia"):
        await staged(x, call, make_delivery("", media=(make_media(size=900),)), journal, clock)
    assert journal.facts["media"] == {}


async def test_a_file_that_expired_is_sent_again(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    x_client: Any,
    journal: MemoryJournal,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    delivery = make_delivery("", media=(image(),))
    await x.stage(call, delivery, journal)
    clock.advance(timedelta(hours=23, minutes=55))
    with pytest.raises(Transient, match="not_staged"):
        await x.publish(call, delivery, journal)
    fresh = Call(call.http, clock, await x.refresh(call.http, x_client, call.grant, clock=clock))
    await x.stage(fresh, delivery, journal)
    assert isinstance(await x.publish(fresh, delivery, journal), Published)
    assert sandbox.requests("x", INITIALISE) == 2


async def test_a_file_that_x_knows_no_more_is_sent_again_once(
    x: Platform,
    call: Call,
    make_delivery: Callable[..., Delivery],
    image: Callable[..., Media],
    journal: MemoryJournal,
    sandbox: Sandbox,
) -> None:
    delivery = make_delivery("", media=(image(),))
    for kind in (Transient, Rejected):
        await x.stage(call, delivery, journal)
        sandbox.of(XSandbox).state.files.clear()
        with pytest.raises(kind, match="media_invalid"):
            await x.publish(call, delivery, journal)
    assert sandbox.requests("x", INITIALISE) == 2
    assert sandbox.truth.posts("x") == []
