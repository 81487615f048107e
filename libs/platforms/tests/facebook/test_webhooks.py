"""What Facebook tells of its own accord, from the sandbox's signed requests to our notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from kit.testing.waiting import wait_for
from litestar import Litestar, Request, Response, post
from platforms.facebook.webhooks import read_change
from platforms.meta.webhooks import CALLBACK_HEADER, Change
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, Notice, NoticeKind
from sandbox.facebook.platform import FacebookSandbox
from sandbox.serving import LoopbackServer
from sandbox.testing import MemoryJournal

PAGE, PERSON = "101000000000001", "10220000000000001"


@dataclass
class Inbox:
    """Our receiving side: what came, and to which address."""

    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def app(self) -> Litestar:
        @post(["/events", "/deauthorise", "/deletion"], status_code=200)
        async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.received.append((request.url.path, dict(request.headers), await request.body()))
            return Response(b'{"url":"https://example.com/d?id=1","confirmation_code":"1"}')

        return Litestar([take], openapi_config=None, logging_config=None)

    async def notices(self, facebook: Platform, client: ClientCredentials, count: int = 1) -> Sequence[Notice]:
        """Every notice once so many requests came, as our edge reads them: it adds which address was called."""
        await wait_for(lambda: len(self.received) >= count, what="webhooks")
        found: list[Notice] = []
        for path, headers, body in self.received:
            told = headers | {CALLBACK_HEADER: path.removeprefix("/")}
            assert facebook.verify_webhook(told, body, client)
            found += facebook.read_webhook(told, body)
        return found


@pytest.fixture
async def inbox(imitated: FacebookSandbox) -> AsyncIterator[Inbox]:
    inbox, server = Inbox(), LoopbackServer()
    await server.start(inbox.app())
    (client,) = imitated.state.clients.values()
    client.webhook_url = f"{server.base_url}/events"
    client.deauthorise_url = f"{server.base_url}/deauthorise"
    client.deletion_url = f"{server.base_url}/deletion"
    imitated.state.pages[PAGE].subscribed["sandbox-client-id"] = ["feed"]
    yield inbox
    await server.stop()


async def test_a_post_that_appears_and_goes_is_told_with_its_id(
    facebook: Platform,
    call: Call,
    kinds: Mapping[str, Callable[..., Delivery]],
    client: ClientCredentials,
    inbox: Inbox,
) -> None:
    delivery = replace(kinds["text"](), text="Frische Farbe: Tür, é, 🚪")
    await facebook.publish(call, delivery, (journal := MemoryJournal()))
    post_id = journal.facts["post_id"]
    (added,) = await inbox.notices(facebook, client)
    assert (added.kind, added.account_id, added.post_id) == (NoticeKind.POST_PUBLISHED, PAGE, post_id)
    assert added.occurred_at == call.clock.now()
    body = inbox.received[0][2]
    assert b"\\u00fcr" in body
    assert not facebook.verify_webhook(inbox.received[0][1], body.replace(b"\\u00fc", "ü".encode()), client)


async def test_a_person_who_removes_us_and_one_who_wants_to_be_forgotten_are_told_apart(
    facebook: Platform, call: Call, client: ClientCredentials, imitated: FacebookSandbox, inbox: Inbox
) -> None:
    imitated.withdraw(PERSON)
    (known,) = imitated.state.clients.values()
    imitated.state.webhooks.ask_for_deletion(known, PERSON)
    notices = await inbox.notices(facebook, client, 2)
    assert {(notice.kind, notice.account_id) for notice in notices} == {
        (NoticeKind.AUTHORISATION_REMOVED, PERSON),
        (NoticeKind.ERASURE_REQUESTED, PERSON),
    }
    assert len({notice.notice_id for notice in notices}) == 2
    assert call.grant.extra["user_id"].reveal() == PERSON


def change(value: dict[str, Any], *, field: str = "feed") -> Change:
    return Change("page", PAGE, field, value, None, "n1")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"item": "status", "verb": "add", "post_id": "1_2", "from": {"id": PAGE}}, NoticeKind.POST_PUBLISHED),
        ({"item": "photo", "verb": "remove", "post_id": "1_2", "sender_id": PAGE}, NoticeKind.POST_REMOVED),
        ({"item": "video", "verb": "remove", "post_id": "1_2"}, NoticeKind.POST_REMOVED),
        ({"item": "status", "verb": "edited", "post_id": "1_2", "from": {"id": PAGE}}, NoticeKind.OTHER),
        ({"item": "comment", "verb": "add", "post_id": "1_2", "from": {"id": PAGE}}, NoticeKind.OTHER),
        ({"item": "status", "verb": "add", "post_id": "1_2", "from": {"id": "77"}}, NoticeKind.OTHER),
        ({"item": "status", "verb": "add", "post_id": 12, "from": {"id": PAGE}}, NoticeKind.OTHER),
        ({"verb": "add"}, NoticeKind.OTHER),
        ({}, NoticeKind.OTHER),
    ],
)
def test_only_the_pages_own_posts_are_notices(value: dict[str, Any], kind: NoticeKind) -> None:
    notice = read_change(change(value))
    assert notice.kind is kind
    assert notice.post_id == ("1_2" if kind is not NoticeKind.OTHER else None)


def test_another_field_than_feed_is_only_noted() -> None:
    value = {"item": "status", "verb": "add", "post_id": "1_2"}
    assert read_change(change(value, field="mention")).kind is NoticeKind.OTHER
