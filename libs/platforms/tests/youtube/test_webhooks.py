"""YouTube's push notices: subscribed for, proved, signed, and no more than a hint."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from kit.testing import wait_for
from litestar import Litestar, Request, Response, get, post
from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import Call, ClientCredentials, Delivery, Notice, NoticeKind, PlatformName
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.webhooks import hub_secret, subscribe
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer
from sandbox.testing import MemoryJournal
from sandbox.youtube.platform import YouTubeSandbox

YOUTUBE = register().platforms[PlatformName.YOUTUBE]
CLIENT = ClientCredentials("id", Secret("client-secret"), "https://app.example/callback")
TOPIC = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCone"
FEED = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"><updated>x</updated>
<entry><id>yt:video:vid1</id><yt:videoId>vid1</yt:videoId><yt:channelId>UCone</yt:channelId>
<title>A &lt;yt:videoId&gt;false&lt;/yt:videoId&gt; title</title><published>2026-11-22T09:00:00+00:00</published>
<updated>2026-11-22T10:00:00.552394234+00:00</updated></entry></feed>"""
REMOVAL = b"""<feed xmlns:at="http://purl.org/atompub/tombstones/1.0"><at:deleted-entry ref="yt:video:vid1"
 when="2026-11-22T10:00:00+00:00"><at:by><uri>https://www.youtube.com/channel/UCone</uri></at:by></at:deleted-entry></feed>"""


def signed(body: bytes, key: str) -> Mapping[str, str]:
    return {"X-Hub-Signature": "sha1=" + hmac.new(key.encode(), body, "sha1").hexdigest()}


def test_only_a_body_signed_with_our_secret_is_youtubes() -> None:
    key = hub_secret(Secret("client-secret"))
    assert YOUTUBE.verify_webhook(signed(FEED, key), FEED, CLIENT)
    assert not YOUTUBE.verify_webhook(signed(FEED, key), FEED + b" ", CLIENT)
    assert not YOUTUBE.verify_webhook(signed(FEED, "client-secret"), FEED, CLIENT)
    assert not YOUTUBE.verify_webhook({}, FEED, CLIENT)
    assert not YOUTUBE.verify_webhook({"x-hub-signature": "sha1=é"}, FEED, CLIENT)
    assert not YOUTUBE.verify_webhook(signed(FEED, key), FEED, replace(CLIENT, client_secret=None))


def test_the_signature_is_an_hmac_of_sha1() -> None:
    # RFC 2202, test case 2.
    assert signed(b"what do ya want for nothing?", "Jefe") == {
        "X-Hub-Signature": "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    }


def test_a_feed_tells_of_each_video() -> None:
    assert YOUTUBE.read_webhook({}, FEED) == [
        Notice(
            NoticeKind.POST_PUBLISHED,
            "vid1:2026-11-22T10:00:00.552394234+00:00",
            account_id="UCone",
            post_id="vid1",
            occurred_at=datetime(2026, 11, 22, 10, 0, 0, 552394, tzinfo=UTC),
        )
    ]


def test_a_removal_is_told_as_one() -> None:
    (notice,) = YOUTUBE.read_webhook({}, REMOVAL)
    assert (notice.kind, notice.post_id, notice.account_id) == (NoticeKind.POST_REMOVED, "vid1", "UCone")
    assert notice.occurred_at == datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"<feed></feed>", b"<entry><updated>x</updated></entry>"])
def test_what_is_not_understood_is_another_notice_and_the_same_each_time(body: bytes) -> None:
    (notice,) = YOUTUBE.read_webhook({}, body)
    assert notice.kind is NoticeKind.OTHER
    assert notice == YOUTUBE.read_webhook({}, body)[0]


def test_only_a_subscription_of_ours_is_confirmed() -> None:
    token = hmac.new(b"client-secret", b"youtube:hub.verify_token", hashlib.sha256).hexdigest()
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c1", "hub.verify_token": token}
    assert YOUTUBE.answer_challenge(query, CLIENT) == "c1"
    for name, wrong in {
        "hub.mode": "publish",
        "hub.topic": "https://www.youtube.com/watch",
        "hub.verify_token": "guess",
    }.items():
        assert YOUTUBE.answer_challenge(query | {name: wrong}, CLIENT) is None
    assert YOUTUBE.answer_challenge({}, CLIENT) is None
    assert YOUTUBE.answer_challenge(query, replace(CLIENT, client_secret=None)) is None


@dataclass
class Receiver:
    """Our end of the webhook, as a service would serve it."""

    address: str
    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
async def receiver(youtube: Platform, client: ClientCredentials) -> AsyncIterator[Receiver]:
    server = LoopbackServer()
    receiver = Receiver(f"{server.base_url}/hook")

    @get("/hook", sync_to_thread=False)
    def challenge(request: Request) -> Response[str]:  # type: ignore[type-arg]
        answer = youtube.answer_challenge(dict(request.query_params), client)
        return Response(answer or "", status_code=200 if answer else 404)

    @post("/hook", status_code=204)
    async def receive(request: Request) -> None:  # type: ignore[type-arg]
        receiver.got.append((dict(request.headers), await request.body()))

    await server.start(Litestar([challenge, receive], openapi_config=None, logging_config=None))
    yield receiver
    await server.stop()


async def test_a_subscribed_channel_tells_of_its_video_once_shown_and_once_deleted(
    youtube: Platform,
    call: Call,
    client: ClientCredentials,
    delivery: Delivery,
    journal: MemoryJournal,
    sandbox: Sandbox,
    server: YouTubeSandbox,
    receiver: Receiver,
    clock: FixedClock,
) -> None:
    endpoints = YouTubeEndpoints.at(sandbox.base_urls["youtube"])
    account = call.grant.account_id
    ask = partial(subscribe, call.http, client, endpoints, channel_id=account, callback=receiver.address, clock=clock)
    await ask()
    await wait_for(lambda: server.state.hub.subscriptions)
    await youtube.stage(call, delivery, journal)
    await youtube.publish(call, delivery, journal)
    await wait_for(lambda: receiver.got)
    clock.advance(timedelta(hours=1))
    server.delete_video(journal.facts["video_id"])
    await wait_for(lambda: len(receiver.got) == 2)
    notices: list[Notice] = []
    for headers, body in receiver.got:
        assert youtube.verify_webhook(headers, body, client)
        notices += youtube.read_webhook(headers, body)
    assert [(n.kind, n.post_id, n.account_id) for n in notices] == [
        (NoticeKind.POST_PUBLISHED, journal.facts["video_id"], account),
        (NoticeKind.POST_REMOVED, journal.facts["video_id"], account),
    ]
    await ask(end=True)
    await wait_for(lambda: not server.state.hub.subscriptions)
