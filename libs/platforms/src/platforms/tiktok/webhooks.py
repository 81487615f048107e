"""TikTok's webhook signature: HMAC-SHA256 over time and raw body, keyed with the client secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from kit.secret import Secret

from platforms.shape import ClientCredentials, Notice, NoticeKind
from platforms.tiktok.limits import WEBHOOK_AGE_SECONDS_MAX

HEADER = "tiktok-signature"
BY_OURSELVES = "5"
"""The reason of a removal that we asked for: an echo, which says nothing of the account's other authorisations."""


def verify(headers: Mapping[str, str], body: bytes, secret: Secret) -> bool:
    """True if the body is TikTok's, whatever its age.

    A redelivery comes up to 72 hours later and may carry its first time, so age alone never refuses a
    body here; a receiver drops repetitions by (event, account, publish id, time) instead, and may ask
    `is_fresh` for what it does besides.
    """
    parts = _parts(headers)
    if parts is None:
        return False
    signed_at, signature = parts
    expected = hmac.new(secret.reveal().encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


class Webhooks:
    """TikTok's part of `platforms.composed.Webhooks`."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        return client.client_secret is not None and verify(headers, body, client.client_secret)

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """One notice: TikTok sends one event a request, with its details as JSON inside JSON."""
        return [_notice(body)]

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """TikTok asks for no proof beyond status 200."""
        return None


def _notice(body: bytes) -> Notice:
    try:
        told = msgspec.json.decode(body, type=_Event)
        content = msgspec.json.decode(told.content, type=_Content)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Notice(NoticeKind.OTHER, hashlib.sha256(body).hexdigest())
    kind = _KINDS.get(told.event, NoticeKind.OTHER)
    if kind is NoticeKind.AUTHORISATION_REMOVED and str(content.reason) == BY_OURSELVES:
        kind = NoticeKind.OTHER
    # A redelivery repeats the event, the account, the post and the time; nothing else names it.
    reference = content.publish_id or content.post_id or ""
    return Notice(
        kind,
        f"{told.event}:{told.user_openid}:{reference}:{told.create_time}",
        account_id=told.user_openid,
        post_id=content.post_id,
        reference=content.publish_id,
        code=content.fail_reason or (None if content.reason is None else str(content.reason)),
        occurred_at=datetime.fromtimestamp(told.create_time, UTC),
    )


class _Event(msgspec.Struct):
    event: str
    create_time: int
    user_openid: str
    content: str = "{}"


class _Content(msgspec.Struct):
    publish_id: str | None = None
    post_id: str | None = None
    reason: int | str | None = None
    fail_reason: str | None = None


_KINDS = {
    "post.publish.publicly_available": NoticeKind.POST_PUBLISHED,
    "post.publish.complete": NoticeKind.POST_PUBLISHED,
    "post.publish.failed": NoticeKind.POST_FAILED,
    "post.publish.no_longer_publicaly_available": NoticeKind.POST_REMOVED,
    "authorization.removed": NoticeKind.AUTHORISATION_REMOVED,
}


def is_fresh(headers: Mapping[str, str], *, now: datetime) -> bool:
    """True if the body was signed within five minutes of `now`."""
    parts = _parts(headers)
    if parts is None:
        return False
    age = now - datetime.fromtimestamp(int(parts[0]), UTC)
    return abs(age) <= timedelta(seconds=WEBHOOK_AGE_SECONDS_MAX)


def _parts(headers: Mapping[str, str]) -> tuple[str, str] | None:
    value = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    fields = dict(part.split("=", 1) for part in value.replace(" ", "").split(",") if "=" in part)
    signed_at, signature = fields.get("t", ""), fields.get("s", "")
    well_formed = signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 11 and signature
    return (signed_at, signature) if well_formed else None
