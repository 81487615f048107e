"""Threads' webhooks: Meta's signatures and callbacks, but events in an envelope of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from platforms.meta.webhooks import Webhooks as MetaWebhooks
from platforms.shape import ClientCredentials, Notice, NoticeKind


class _Values(msgspec.Struct, frozen=True):
    field: str
    value: dict[str, Any] = {}


class _Event(msgspec.Struct, frozen=True):
    topic: str
    values: _Values
    target_id: str | int | None = None
    time: int = 0


class Webhooks(MetaWebhooks):
    """Satisfies `platforms.composed.Webhooks`."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        """Signed with our Threads secret; Meta leaves open whether it may be the whole application's instead."""
        other = replace(client, client_secret=client.webhook_secret)
        return super().verify(headers, body, client) or super().verify(headers, body, other)

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return super().read(headers, body)
        return [_notice(event)]


def _notice(event: _Event) -> Notice:
    value, field = event.values.value, event.values.field
    said = msgspec.json.encode([event.topic, event.target_id, event.time, field, value], order="deterministic")
    owner = value.get("owner")
    account_id = event.target_id
    kind = NoticeKind.OTHER
    if field == "publish":
        kind = NoticeKind.POST_PUBLISHED
    elif field == "delete":
        kind = NoticeKind.POST_REMOVED
        account_id = owner.get("owner_id", account_id) if isinstance(owner, dict) else account_id
    about_post = kind is not NoticeKind.OTHER
    return Notice(
        kind,
        hashlib.sha256(said).hexdigest(),
        account_id=_text(account_id),
        post_id=_text(value.get("id")) if about_post else None,
        occurred_at=datetime.fromtimestamp(event.time, UTC) if 0 < event.time < 10**11 else None,
    )


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None
