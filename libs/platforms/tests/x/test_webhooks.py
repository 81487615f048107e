"""X's signature, its challenge, and what its events are understood as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from kit.secret import Secret
from platforms.shape import ClientCredentials, NoticeKind
from platforms.x.platform import X

PLATFORM = X.place(None).platform
CLIENT = ClientCredentials("id", Secret("client"), "https://example.com/cb", Secret("consumer-secret"))
BODY = b'{"data":{"event_type":"post.create"}}'
SIGNED = "sha256=V1K2NWUkJnAP4ard5TsGdSESNTae0+hW4RRwiQkBNaA="


def test_a_body_is_believed_with_its_signature_only() -> None:
    headers = {"X-Twitter-Webhooks-Signature": SIGNED}
    assert PLATFORM.verify_webhook(headers, BODY, CLIENT)
    assert not PLATFORM.verify_webhook(headers, BODY + b" ", CLIENT)
    assert not PLATFORM.verify_webhook({}, BODY, CLIENT)
    other = ClientCredentials("id", Secret("client"), "https://example.com/cb")
    assert not PLATFORM.verify_webhook(headers, BODY, other)
    assert not PLATFORM.verify_webhook(headers, BODY, ClientCredentials("id", None, "https://example.com/cb"))


def test_the_challenge_is_answered_with_a_signature() -> None:
    answer = PLATFORM.answer_challenge({"crc_token": "challenge"}, CLIENT)
    assert answer is not None
    assert msgspec.json.decode(answer) == {"response_token": "sha256=2RUZDVKjSpEV/C/r9ivMsVZJ4DFPAawjJFQQzY+6ba4="}
    assert PLATFORM.answer_challenge({}, CLIENT) is None


def event(event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"event_uuid": "77", "event_type": event_type, "filter": {"user_id": "1"}, "payload": payload}}


DELETED = {"for_user_id": "1", "tweet_delete_events": [{"status": {"id": "9"}, "timestamp_ms": "1795341600000"}]}
REVOKED = {"user_event": {"revoke": {"date_time": "2026-11-22T10:00:00Z", "source": {"user_id": "1"}}}}


@pytest.mark.parametrize(
    ("document", "kind", "notice_id", "account_id", "post_id"),
    [
        (event("post.create", {"id": "9", "author_id": "1"}), NoticeKind.POST_PUBLISHED, "77", "1", "9"),
        (event("post.delete", {"id": "9", "author_id": "1"}), NoticeKind.POST_REMOVED, "77", "1", "9"),
        (event("oauth.revoke", {"user_id": "1"}), NoticeKind.AUTHORISATION_REMOVED, "77", "1", None),
        (event("follow.follow", {}), NoticeKind.OTHER, "77", "1", None),
        (DELETED, NoticeKind.POST_REMOVED, "delete:9:1795341600000", "1", "9"),
        (REVOKED, NoticeKind.AUTHORISATION_REMOVED, "revoke:1:2026-11-22T10:00:00Z", "1", None),
    ],
)
def test_what_an_event_tells(
    document: dict[str, Any], kind: NoticeKind, notice_id: str, account_id: str, post_id: str | None
) -> None:
    (notice,) = PLATFORM.read_webhook({}, msgspec.json.encode(document))
    assert (notice.kind, notice.notice_id) == (kind, notice_id)
    assert (notice.account_id, notice.post_id) == (account_id, post_id)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"data":5}', b'{"tweet_delete_events":[1]}', b'{"user_event":{"revoke":7}}']
)
def test_what_is_not_understood_is_another_notice(body: bytes) -> None:
    (notice,) = PLATFORM.read_webhook({}, body)
    assert (notice.kind, len(notice.notice_id)) == (NoticeKind.OTHER, 64)


def test_a_deletion_tells_its_time() -> None:
    (notice,) = PLATFORM.read_webhook({}, msgspec.json.encode(DELETED))
    assert notice.occurred_at == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
