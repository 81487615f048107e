"""The whole width of Bluesky in one tour, seen by the recorder: nothing deviates, and each listed difference is met."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from platforms.errors import PlatformError, RateLimited
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Media, MediaKind, Published
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.conformance import Recorder
from libs.platforms.tests.conformance.specifications import specification_of


async def test_every_listed_difference_is_met_on_a_tour(
    bluesky: Platform,
    bluesky_call: Call,
    bluesky_client: ClientCredentials,
    make_delivery: Callable[..., Delivery],
    make_media: Callable[..., Media],
    sandbox: Sandbox,
    recorder: Recorder,
    clock: FixedClock,
) -> None:
    image, video = make_media(MediaKind.IMAGE, 1000), make_media(MediaKind.VIDEO, 2000)
    settings = {"thread": [{"text": "Two @pub.test", "media": [1]}], "replies": ["followers"], "no_quotes": True}
    delivery, journal = make_delivery("One", media=(image, video), settings=settings), MemoryJournal()
    with pytest.raises(RateLimited):
        await bluesky.stage(bluesky_call, delivery, journal)
    clock.advance(timedelta(seconds=5))
    await bluesky.stage(bluesky_call, delivery, journal)
    sandbox.bluesky.proofs.forget_nonces()
    outcome = await bluesky.publish(bluesky_call, delivery, journal)
    assert isinstance(outcome, Published)
    assert outcome.receipt.url
    await bluesky_call.http.get(outcome.receipt.url)
    await bluesky.profile(bluesky_call)
    await bluesky.insights(bluesky_call, [outcome.receipt.post_id or ""])
    await _be_refused(bluesky, bluesky_call, make_delivery, image, sandbox)
    await bluesky.revoke(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=clock)
    if specification_of("bluesky"):
        assert recorder.exchanges > 20
    assert recorder.unused() == []


async def _be_refused(
    bluesky: Platform, call: Call, make_delivery: Callable[..., Delivery], image: Media, sandbox: Sandbox
) -> None:
    """In every way that no lexicon names: for our clock first, which the client sets right by itself."""
    delivery, staged = make_delivery("Three", planned_at=call.clock.now(), media=(image,)), MemoryJournal()
    await bluesky.stage(call, delivery, staged)
    imitated, account = sandbox.bluesky, call.grant.account_id
    skewed = Call(call.http, FixedClock(call.clock.now() + timedelta(minutes=9)), call.grant)
    steps: list[tuple[str, Callable[[], object]]] = [
        ("BlobNotFound", imitated.state.blobs.clear),
        ("AccountTakedown", lambda: imitated.plan_outcome({"account": account, "blocked": "AccountTakedown"})),
        ("ScopeMissingError", lambda: imitated.plan_outcome({"account": account, "blocked": None})),
        ("invalid_token", imitated.expire_access_tokens),
    ]
    for refusal, prepare in steps:
        prepare()
        if refusal == "ScopeMissingError":
            imitated.state.sessions[0].scopes = ["atproto"]
        journal = MemoryJournal()
        await journal.record(writes=staged.facts["writes"])
        with pytest.raises(PlatformError, match=refusal):
            await bluesky.publish(skewed, delivery, journal)
