"""What LinkedIn tells of an organisation's posts: that somebody liked, commented on or shared one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from kit.secret import Secret

from platforms.shape import ClientCredentials, Notice, NoticeKind

HEADER = "x-li-signature"
_PREFIX = "hmacsha256="
CHALLENGE_MAX = 200
"""A challenge is a UUID; nothing much longer is signed for anybody."""
NOTIFICATIONS_MAX = 100
"""LinkedIn sends ten at once."""


class Webhooks:
    """Satisfies `platforms.composed.Webhooks`."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        """The signed words begin with the name of the method; some deliveries repeat it before the signature."""
        if client.client_secret is None:
            return False
        told = next((value for name, value in headers.items() if name.lower() == HEADER), "")
        expected = signature(client.client_secret, _PREFIX.encode() + body)
        return hmac.compare_digest(expected.encode(), told.removeprefix(_PREFIX).lower().encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        try:
            told = msgspec.json.decode(body, type=_Told, strict=False).notifications[:NOTIFICATIONS_MAX]
        except (msgspec.DecodeError, msgspec.ValidationError):
            told = ()
        return [_notice(each) for each in told] or [Notice(NoticeKind.OTHER, hashlib.sha256(body).hexdigest())]

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """The JSON that shows that the address knows the client's secret."""
        code = query.get("challengeCode", "")
        if not 0 < len(code) <= CHALLENGE_MAX or code.startswith(_PREFIX) or client.client_secret is None:
            return None
        response = signature(client.client_secret, code.encode())
        return msgspec.json.encode({"challengeCode": code, "challengeResponse": response}).decode()


def signature(secret: Secret, message: bytes) -> str:
    return hmac.new(secret.reveal().encode(), message, hashlib.sha256).hexdigest()


class _Notification(msgspec.Struct, rename="camel"):
    notification_id: int | str
    organizational_entity: str = ""
    action: str = ""
    source_post: str | None = None
    last_modified_at: int = 0


class _Told(msgspec.Struct):
    notifications: tuple[_Notification, ...] = ()


def _notice(told: _Notification) -> Notice:
    moment = told.last_modified_at
    return Notice(
        NoticeKind.OTHER,
        str(told.notification_id),
        account_id=told.organizational_entity or None,
        post_id=told.source_post,
        code=told.action or None,
        occurred_at=datetime.fromtimestamp(moment / 1000, UTC) if 0 < moment < 10**14 else None,
    )
