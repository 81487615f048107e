"""What Threads tells of its own accord: its own envelope, Meta's signatures and callbacks."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from kit.secret import Secret
from kit.testing import wait_for
from litestar.types import Receive, Scope, Send
from platforms.meta.signing import verify_token
from platforms.meta.webhooks import CALLBACK_HEADER, DELETION
from platforms.platform import Platform
from platforms.shape import ClientCredentials, NoticeKind
from platforms.threads.platform import THREADS
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer
from sandbox.testing import MemoryJournal
from sandbox.threads.platform import ThreadsSandbox

PLATFORM = THREADS.place(None).platform
CLIENT = ClientCredentials("id", Secret("test_app_secret"), "https://signoff.example/cb")
SIGNED_REQUEST = (
    "9C3os-BVqHdGR8ArmepqNL8RgHPK_ApB7oJt2EtN234.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1BQy1TSEEyNTYiLCJpc"
    "3N1ZWRfYXQiOjEyOTE4MzY4MDAsImV4cGlyZXMiOjEyOTE4NDA0MDB9"
)


def body_of(field: str, value: dict[str, Any], topic: str = "interaction", **changes: Any) -> bytes:
    document = {
        "app_id": "123456",
        "topic": topic,
        "target_id": "78901",
        "time": 1723226877,
        "subscription_id": "234567",
        "has_uid_field": False,
        "values": {"value": value, "field": field},
    }
    return json.dumps(document | changes).encode()


def signed(body: bytes, key: bytes = b"test_app_secret") -> dict[str, str]:
    mac = hmac.new(key, body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mac}"}


def test_a_post_that_is_out():
    body = body_of("publish", {"id": "8901234", "media_type": "TEXT_POST", "username": "u"})
    (notice,) = PLATFORM.read_webhook({}, body)
    assert (notice.kind, notice.account_id, notice.post_id) == (NoticeKind.POST_PUBLISHED, "78901", "8901234")
    assert notice.occurred_at == datetime(2024, 8, 9, 18, 7, 57, tzinfo=UTC)
    again = PLATFORM.read_webhook({}, body_of("publish", {"username": "u", "media_type": "TEXT_POST", "id": "8901234"}))
    assert again == [notice]


def test_a_post_that_was_removed_names_its_owner():
    value = {"id": "8901234", "owner": {"owner_id": "5"}, "deleted_at": "2026-08-07T10:33:16+0000"}
    (notice,) = PLATFORM.read_webhook({}, body_of("delete", value, topic="moderate"))
    assert (notice.kind, notice.account_id, notice.post_id) == (NoticeKind.POST_REMOVED, "5", "8901234")


@pytest.mark.parametrize("field", ["replies", "mentions", "something_new"])
def test_what_others_do_is_no_word_about_a_post_of_ours(field: str):
    (notice,) = PLATFORM.read_webhook({}, body_of(field, {"id": "8901234"}))
    assert (notice.kind, notice.post_id) == (NoticeKind.OTHER, None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"topic": 5}', body_of("publish", {}, values=[])])
def test_what_is_not_understood_is_other(body: bytes):
    (notice,) = PLATFORM.read_webhook({}, body)
    assert notice.kind is NoticeKind.OTHER


def test_a_signature_is_over_the_raw_body_with_one_of_two_secrets():
    body = body_of("publish", {"id": "1"})
    assert PLATFORM.verify_webhook(signed(body), body, CLIENT)
    assert not PLATFORM.verify_webhook(signed(body), body + b" ", CLIENT)
    assert not PLATFORM.verify_webhook({}, body, CLIENT)
    other = signed(body, b"whole")
    assert not PLATFORM.verify_webhook(other, body, CLIENT)
    assert PLATFORM.verify_webhook(other, body, replace(CLIENT, webhook_secret=Secret("whole")))


@pytest.mark.parametrize("deletion", [True, False])
def test_a_person_who_leaves_is_named(deletion: bool):
    body, headers = f"signed_request={SIGNED_REQUEST}".encode(), {CALLBACK_HEADER: DELETION} if deletion else {}
    assert PLATFORM.verify_webhook(headers, body, CLIENT)
    assert not PLATFORM.verify_webhook(headers, body.replace(b"9C3", b"8C3"), CLIENT)
    (notice,) = PLATFORM.read_webhook(headers, body)
    expected = NoticeKind.ERASURE_REQUESTED if deletion else NoticeKind.AUTHORISATION_REMOVED
    assert (notice.kind, notice.account_id) == (expected, "218471")


def test_the_address_is_proved_ours_only_with_our_word():
    assert CLIENT.client_secret is not None
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    right = query | {"hub.verify_token": verify_token(CLIENT.client_secret)}
    assert PLATFORM.answer_challenge(right, CLIENT) == "1158201444"
    assert PLATFORM.answer_challenge(query | {"hub.verify_token": "mytoken"}, CLIENT) is None


class Receiver:
    """Keeps what is sent to it; the first request is answered with an error, so that it comes again."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        message = await receive()
        body = message["body"] if message["type"] == "http.request" else b""
        self.requests.append((scope["path"], headers, body))
        status = 500 if len(self.requests) == 1 else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def test_the_sandbox_signs_repeats_and_calls_back(
    threads: Platform, client: ClientCredentials, delivery: Any, post: Any, imitated: ThreadsSandbox, sandbox: Sandbox
) -> None:
    receiver, server = Receiver(), LoopbackServer()
    await server.start(receiver)
    registered = imitated.state.clients[client.client_id]
    registered.webhook_url = f"{server.base_url}/events"
    registered.deauthorise_url, registered.deletion_url = f"{server.base_url}/uninstall", f"{server.base_url}/delete"
    await post(delivery, MemoryJournal())
    await wait_for(lambda: len(receiver.requests) == 2)
    (told, again) = [threads.read_webhook(headers, body)[0] for _, headers, body in receiver.requests]
    assert told == again
    assert (told.kind, told.post_id) == (NoticeKind.POST_PUBLISHED, sandbox.truth.posts()[0].post_id)
    imitated.withdraw("25000000000000001", delete=True)
    await wait_for(lambda: len(receiver.requests) == 4)
    await server.stop()
    assert all(threads.verify_webhook(headers, body, client) for _, headers, body in receiver.requests)
    assert {path for path, *_ in receiver.requests[2:]} == {"/uninstall", "/delete"}
    assert threads.read_webhook(*receiver.requests[3][1:])[0].account_id == "25000000000000001"
