"""X's webhooks: HMAC-SHA256 with the application's consumer secret, over the body and over the challenge."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from kit.secret import Secret

from platforms.shape import ClientCredentials, Notice, NoticeKind

HEADER = "x-twitter-webhooks-signature"
CHALLENGE = "crc_token"

_KINDS = {
    "post.create": NoticeKind.POST_PUBLISHED,
    "post.delete": NoticeKind.POST_REMOVED,
    "oauth.revoke": NoticeKind.AUTHORISATION_REMOVED,
}


def sign(secret: Secret, message: bytes) -> str:
    digest = hmac.new(secret.reveal().encode(), message, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


class Webhooks:
    """X's part of `platforms.composed.Webhooks`."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        told = next((value for name, value in headers.items() if name.lower() == HEADER), "")
        secret = client.webhook_secret or client.client_secret
        return secret is not None and hmac.compare_digest(sign(secret, body).encode(), told.encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """One event a body in X's activity form; the older account activity has lists of posts."""
        digest = hashlib.sha256(body).hexdigest()
        try:
            document = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError):
            return [Notice(NoticeKind.OTHER, digest)]
        data = document.get("data")
        found = [_activity(data, digest)] if isinstance(data, dict) else list(_older(document))
        return found or [Notice(NoticeKind.OTHER, digest)]

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """X asks once an hour or so, and ends the webhook if the answer is wrong."""
        secret = client.webhook_secret or client.client_secret
        if CHALLENGE not in query or secret is None:
            return None
        return msgspec.json.encode({"response_token": sign(secret, query[CHALLENGE].encode())}).decode()


def _activity(data: Mapping[str, Any], digest: str) -> Notice:
    payload, wanted = _object(data.get("payload")), _object(data.get("filter"))
    kind = _KINDS.get(str(data.get("event_type")), NoticeKind.OTHER)
    about_post = kind in (NoticeKind.POST_PUBLISHED, NoticeKind.POST_REMOVED)
    account_id = payload.get("author_id") or wanted.get("user_id")
    return Notice(
        kind,
        str(data.get("event_uuid") or digest),
        account_id=_text(account_id),
        post_id=_text(payload.get("id")) if about_post else None,
    )


def _older(document: Mapping[str, Any]) -> Sequence[Notice]:
    account_id = _text(document.get("for_user_id"))
    notices = [
        Notice(
            NoticeKind.POST_REMOVED,
            f"delete:{_object(event.get('status')).get('id')}:{event.get('timestamp_ms')}",
            account_id=account_id,
            post_id=_text(_object(event.get("status")).get("id")),
            occurred_at=_moment(event.get("timestamp_ms")),
        )
        for event in document.get("tweet_delete_events") or ()
        if isinstance(event, dict)
    ]
    revoked = _object(_object(document.get("user_event")).get("revoke"))
    person = _text(_object(revoked.get("source")).get("user_id"))
    if person:
        notice_id = f"revoke:{person}:{revoked.get('date_time')}"
        notices.append(Notice(NoticeKind.AUTHORISATION_REMOVED, notice_id, account_id=person))
    return notices


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value else None


def _moment(milliseconds: object) -> datetime | None:
    text = str(milliseconds or "")
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() and len(text) <= 14 else None
