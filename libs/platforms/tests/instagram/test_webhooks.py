"""What Instagram tells of its own accord, from the sandbox's signed requests to our notices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from kit.secret import Secret
from kit.testing.waiting import wait_for
from litestar import Litestar, Request, Response, post
from platforms.meta.webhooks import CALLBACK_HEADER
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, NoticeKind
from sandbox.instagram.platform import InstagramSandbox
from sandbox.serving import LoopbackServer

ACCOUNT, PERSON = "17841400000000001", "26000000000000001"

Received = list[tuple[str, dict[str, str], bytes]]


@pytest.fixture
async def received(imitated: InstagramSandbox) -> AsyncIterator[Received]:
    """Our receiving side: what came, and to which address."""
    came: Received = []

    @post(["/events", "/deauthorise", "/deletion"], status_code=200)
    async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
        came.append((request.url.path.strip("/"), dict(request.headers), await request.body()))
        return Response(b"{}")

    server = LoopbackServer()
    await server.start(Litestar([take], openapi_config=None, logging_config=None))
    (client,) = imitated.state.clients.values()
    client.webhook_url = f"{server.base_url}/events"
    client.deauthorise_url = f"{server.base_url}/deauthorise"
    client.deletion_url = f"{server.base_url}/deletion"
    yield came
    await server.stop()


async def test_who_leaves_and_who_wants_to_be_forgotten_are_told_by_the_profile_s_number(
    instagram: Platform, call: Call, client: ClientCredentials, imitated: InstagramSandbox, received: Received
) -> None:
    profile = await instagram.profile(call)
    imitated.withdraw(ACCOUNT, delete=True)
    await wait_for(lambda: len(received) == 2, what="callbacks")
    notices = {}
    for place, headers, body in received:
        told = headers | {CALLBACK_HEADER: place}
        assert instagram.verify_webhook(told, body, client)
        assert not instagram.verify_webhook(told, body + b"x", client)
        (notices[place],) = instagram.read_webhook(told, body)
    assert notices["deauthorise"].kind is NoticeKind.AUTHORISATION_REMOVED
    assert notices["deletion"].kind is NoticeKind.ERASURE_REQUESTED
    assert {notice.account_id for notice in notices.values()} == {PERSON} == {profile.union_id}
    assert notices["deletion"].occurred_at == call.clock.now()


@pytest.mark.parametrize("in_changes", [True, False])
async def test_both_forms_of_a_change_are_read_and_say_nothing_of_our_posts(
    instagram: Platform,
    call: Call,
    client: ClientCredentials,
    imitated: InstagramSandbox,
    received: Received,
    in_changes: bool,
) -> None:
    change = {"field": "comments", "value": {"id": "1", "text": "Schöne Tür"}}
    entry = {"id": ACCOUNT, "time": 1_795_341_600} | ({"changes": [change]} if in_changes else change)
    (sender,) = imitated.state.clients.values()
    for _ in range(2):
        imitated.state.webhooks.tell(sender, {"object": "instagram", "entry": [entry]})
    await wait_for(lambda: len(received) == 2, what="webhooks")
    first, second = (instagram.read_webhook(headers, body)[0] for _, headers, body in received)
    _, headers, body = received[0]
    assert instagram.verify_webhook(headers, body, client)
    assert not instagram.verify_webhook(headers, body.replace(b"\\u00f6", "ö".encode()), client)
    stranger = ClientCredentials(client.client_id, Secret("another product's secret"), client.redirect_uri)
    assert not instagram.verify_webhook(headers, body, stranger)
    assert (first.kind, first.account_id) == (NoticeKind.OTHER, ACCOUNT)
    assert first.notice_id == second.notice_id
