"""Meta's webhooks: one notice for each change, the same however often and however batched it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from kit.secret import Secret
from platforms.meta.signing import verify_token
from platforms.meta.webhooks import CALLBACK_HEADER, CHANGES_MAX, DEAUTHORISE, DELETION, Webhooks, changes_in
from platforms.shape import ClientCredentials, NoticeKind

SECRET = "test_app_secret"
CLIENT = ClientCredentials("1", Secret(SECRET), "https://example.com/callback")
WEBHOOKS = Webhooks()
SIGNED_REQUEST = (
    b"signed_request=9C3os-BVqHdGR8ArmepqNL8RgHPK_ApB7oJt2EtN234.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1"
    b"BQy1TSEEyNTYiLCJpc3N1ZWRfYXQiOjEyOTE4MzY4MDAsImV4cGlyZXMiOjEyOTE4NDA0MDB9"
)


def body_of(*entries: dict[str, Any], topic: str = "page") -> bytes:
    return json.dumps({"object": topic, "entry": entries}).encode()


def entry(*values: str, moment: int = 1520383571) -> dict[str, Any]:
    return {"id": "7", "time": moment, "changes": [{"field": "feed", "value": {"post_id": each}} for each in values]}


def test_only_what_our_secret_signed_is_taken() -> None:
    body = body_of(entry("1"))
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert WEBHOOKS.verify({"X-Hub-Signature-256": signature}, body, CLIENT)
    assert not WEBHOOKS.verify({"X-Hub-Signature-256": signature}, body + b" ", CLIENT)
    assert not WEBHOOKS.verify({}, body, CLIENT)
    assert not WEBHOOKS.verify({"X-Hub-Signature-256": signature}, body, ClientCredentials("1", None, ""))
    assert WEBHOOKS.verify({}, SIGNED_REQUEST, CLIENT)
    assert not WEBHOOKS.verify({}, SIGNED_REQUEST[:-1], CLIENT)
    assert not WEBHOOKS.verify({}, b"signed_request=", CLIENT)
    assert not WEBHOOKS.verify({}, b"signed_request=\xff", CLIENT)


def test_a_change_has_one_name_however_it_is_batched() -> None:
    together = changes_in(body_of(entry("1", "2")))
    apart = [*changes_in(body_of(entry("2"))), *changes_in(body_of(entry("1")))]
    assert len({change.notice_id for change in together}) == 2
    assert {change.notice_id for change in together} == {change.notice_id for change in apart}
    assert changes_in(body_of(entry("1", moment=1520383572)))[0].notice_id not in {each.notice_id for each in together}


def test_both_forms_of_an_entry_are_read() -> None:
    change = changes_in(body_of({"id": "7", "time": 5, "field": "comments", "value": {"id": "9"}}, topic="instagram"))
    assert [(each.topic, each.field, each.value, each.account_id) for each in change] == [
        ("instagram", "comments", {"id": "9"}, "7")
    ]


@pytest.mark.parametrize(("told", "year"), [(1520383571, 2018), (1520383571000, 2018), (0, None), (-5, None)])
def test_times_are_seconds_or_milliseconds(told: int, year: int | None) -> None:
    moment = changes_in(body_of(entry("1", moment=told)))[0].moment
    assert (moment.year if moment else None) == year


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"object":"page"}', b'{"object":"page","entry":[{}]}'])
def test_what_is_not_understood_is_one_notice_of_its_own(body: bytes) -> None:
    (notice,) = WEBHOOKS.read({}, body)
    assert (notice.kind, notice.notice_id) == (NoticeKind.OTHER, hashlib.sha256(body).hexdigest())


def test_a_request_is_read_to_its_limit() -> None:
    assert len(changes_in(body_of(entry(*map(str, range(CHANGES_MAX + 10)))))) == CHANGES_MAX


@pytest.mark.parametrize(
    ("callback", "kind"),
    [
        (DELETION, NoticeKind.ERASURE_REQUESTED),
        (DEAUTHORISE, NoticeKind.AUTHORISATION_REMOVED),
        (None, NoticeKind.AUTHORISATION_REMOVED),
    ],
)
def test_the_address_that_was_called_says_what_a_signed_request_means(callback: str | None, kind: NoticeKind) -> None:
    headers = {CALLBACK_HEADER.upper(): callback} if callback else {}
    (notice,) = WEBHOOKS.read(headers, SIGNED_REQUEST)
    assert (notice.kind, notice.account_id) == (kind, "218471")
    assert notice.notice_id == f"{kind.value}:218471:1291836800"
    assert notice.occurred_at == datetime.fromtimestamp(1291836800, UTC)


def test_the_challenge_is_answered_to_who_knows_the_token() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": verify_token(Secret(SECRET))}
    assert WEBHOOKS.answer_challenge(query, CLIENT) == "1158201444"
    assert WEBHOOKS.answer_challenge(query | {"hub.verify_token": "é"}, CLIENT) is None
    assert WEBHOOKS.answer_challenge(query | {"hub.mode": "unsubscribe"}, CLIENT) is None
    assert WEBHOOKS.answer_challenge(query, ClientCredentials("1", None, "")) is None
    assert WEBHOOKS.answer_challenge({}, CLIENT) is None
