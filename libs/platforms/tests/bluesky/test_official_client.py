"""The client that others use against Bluesky works against the sandbox, with nothing changed but the address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from atproto import AsyncClient, AsyncRequest, models
from atproto.exceptions import BadRequestError, UnauthorizedError
from kit.clock import FixedClock
from platforms.platform import Platform
from platforms.shape import Call, Delivery
from sandbox.bluesky.state import APP_PASSWORD
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.conformance import Recorder

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
async def client(sandbox: Sandbox, recorder: Recorder) -> AsyncIterator[AsyncClient]:
    hooks = {"request": [recorder.on_request], "response": [recorder.on_answer]}
    client = AsyncClient(sandbox.base_urls["bluesky"], request=AsyncRequest(event_hooks=hooks, trust_env=False))
    await client.login("brand.test", APP_PASSWORD)
    yield client
    await client.request.close()
    assert list(recorder.found) == []


async def test_it_publishes_reads_back_and_counts(client: AsyncClient, sandbox: Sandbox, clock: FixedClock) -> None:
    made = await client.send_post("Fresh paint https://example.org", langs=["en"])
    answered = await client.send_post(
        "And dry", reply_to=models.AppBskyFeedPost.ReplyRef(parent=_ref(made), root=_ref(made))
    )
    assert [post.post_id for post in sandbox.truth.posts()] == [made.uri, answered.uri]
    read = await client.get_post(made.uri.rsplit("/", 1)[1])
    assert (read.cid, read.value.text) == (made.cid, "Fresh paint https://example.org")
    clock.advance(timedelta(hours=1))
    (shown,) = (await client.get_posts([made.uri])).posts
    assert (shown.author.handle, shown.cid) == ("brand.test", made.cid)
    assert (shown.like_count or 0) > 0
    thread = (await client.get_post_thread(made.uri)).thread
    assert [reply.post.uri for reply in thread.replies] == [answered.uri]
    assert await client.delete_post(answered.uri)
    assert [post.post_id for post in sandbox.truth.posts()] == [made.uri]


@pytest.mark.filterwarnings("ignore:Use 'content=<...>'")  # the client's own way with files
async def test_it_publishes_images_and_quotes(client: AsyncClient, sandbox: Sandbox) -> None:
    made = await client.send_image("Look", PNG, "A door", image_aspect_ratio=None)
    quoting = await client.send_post("Quoting", embed=models.AppBskyEmbedRecord.Main(record=_ref(made)))
    posts = sandbox.truth.posts()
    assert [(item.content_type, item.alt_text) for item in posts[0].media] == [("image/png", "A door")]
    assert posts[1].post_id == quoting.uri
    assert posts[1].settings["embed"]["record"]["cid"] == made.cid


async def test_it_reads_what_ours_has_published_and_computes_the_same_identifier(
    client: AsyncClient, bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery]
) -> None:
    journal = MemoryJournal()
    settings = {"thread": [{"text": "Two"}], "langs": ["en"], "link": "https://example.org/"}
    delivery = make_delivery("One ü #tag", settings=settings)
    await bluesky.stage(bluesky_call, delivery, journal)
    await bluesky.publish(bluesky_call, delivery, journal)
    first, second = journal.facts["writes"]
    read = await client.get_post(first["rkey"])
    assert (read.cid, read.value.text) == (first["cid"], "One ü #tag")
    assert read.value.embed.external.uri == "https://example.org/"
    assert read.value.facets[0].index.byte_end == len("One ü #tag".encode())
    thread = (await client.get_post_thread(read.uri)).thread
    assert [reply.post.cid for reply in thread.replies] == [second["cid"]]


async def test_a_wrong_password_and_an_ended_session_are_refused(client: AsyncClient, sandbox: Sandbox) -> None:
    stranger = AsyncClient(sandbox.base_urls["bluesky"])
    with pytest.raises(UnauthorizedError, match="AuthenticationRequired"):
        await stranger.login("brand.test", "wrong")
    sandbox.bluesky.state.sessions[0].revoked = True
    with pytest.raises(BadRequestError, match="ExpiredToken"):
        await client.send_post("Too late")


def _ref(post: models.AppBskyFeedPost.CreateRecordResponse) -> models.ComAtprotoRepoStrongRef.Main:
    return models.ComAtprotoRepoStrongRef.Main(uri=post.uri, cid=post.cid)
