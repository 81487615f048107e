"""What Meta tells of its own accord: signed changes, and the two callbacks about a person who leaves.

A person who removes our application is told of to the deauthorise callback, one who asks for deletion to the
deletion callback. Both bring the same signed words, so only the address tells them apart: whoever receives them
says which it was in `CALLBACK_HEADER`, and takes that header from nobody outside.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from platforms.meta.signing import BODY_HEADER, is_signed, is_signed_request, read_signed_request, verify_token
from platforms.shape import ClientCredentials, Notice, NoticeKind

CALLBACK_HEADER = "x-signoff-callback"
DEAUTHORISE = "deauthorise"
DELETION = "deletion"

CHANGES_MAX = 1000
"""The most that Meta puts into one request."""


class Change(msgspec.Struct, frozen=True):
    """One change of one account. `moment` is when Meta noted it, `notice_id` the same when it is told again."""

    topic: str
    account_id: str
    field: str
    value: Mapping[str, Any]
    moment: datetime | None
    notice_id: str


ReadChange = Callable[[Change], Notice]


def other(change: Change) -> Notice:
    """A change that says nothing of a post of ours."""
    return Notice(NoticeKind.OTHER, change.notice_id, account_id=change.account_id, occurred_at=change.moment)


class Webhooks:
    """Satisfies `platforms.composed.Webhooks`; `read_change` is what a product's own changes mean."""

    def __init__(self, read_change: ReadChange = other) -> None:
        self._read_change = read_change

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        secret = client.client_secret
        if secret is None:
            return False
        signed = _signed_request(body)
        if signed is not None:
            return is_signed_request(signed, secret)
        return is_signed(body, _header(headers, BODY_HEADER), secret)

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        signed = _signed_request(body)
        if signed is not None:
            return [_about_person(signed, deletion=_header(headers, CALLBACK_HEADER) == DELETION)]
        return [self._read_change(change) for change in changes_in(body)] or [_not_understood(body)]

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """The challenge itself, if Meta names the token that an operator entered (`signing.verify_token`)."""
        if query.get("hub.mode") != "subscribe" or client.client_secret is None:
            return None
        told, expected = query.get("hub.verify_token", ""), verify_token(client.client_secret)
        return query.get("hub.challenge") if hmac.compare_digest(told.encode(), expected.encode()) else None


def changes_in(body: bytes) -> Sequence[Change]:
    """Every change of a request, in both forms Meta sends: in `changes`, or in the entry itself."""
    try:
        told = msgspec.json.decode(body, type=_Told, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
    found = []
    for entry in told.entry:
        own = [_Change(entry.field, entry.value)] if entry.field else []
        found += [_change(told.object, entry, change) for change in [*entry.changes, *own]]
    return found[:CHANGES_MAX]


class _Change(msgspec.Struct):
    field: str
    value: Any = None


class _Entry(msgspec.Struct):
    id: str
    time: int = 0
    changes: list[_Change] = []
    field: str = ""
    value: Any = None


class _Told(msgspec.Struct):
    object: str
    entry: list[_Entry] = []


def _change(topic: str, entry: _Entry, change: _Change) -> Change:
    # Requests are batched anew when they are repeated, so each change is named by what it says.
    said = msgspec.json.encode([topic, entry.id, entry.time, change.field, change.value], order="deterministic")
    # Some products tell the time in milliseconds.
    seconds = entry.time / 1000 if entry.time > 10**11 else entry.time
    return Change(
        topic=topic,
        account_id=entry.id,
        field=change.field,
        value=change.value if isinstance(change.value, dict) else {},
        moment=datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 10**11 else None,
        notice_id=hashlib.sha256(said).hexdigest(),
    )


def _about_person(signed: str, *, deletion: bool) -> Notice:
    """Deauthorising is the milder reading: it ends the grant, and everything derived goes with it in its time."""
    kind = NoticeKind.ERASURE_REQUESTED if deletion else NoticeKind.AUTHORISATION_REMOVED
    request = read_signed_request(signed)
    if request is None:
        return _not_understood(signed.encode())
    name = f"{kind.value}:{request.user_id}:{request.issued_at}"
    return Notice(kind, name, account_id=str(request.user_id), occurred_at=request.issued)


def _signed_request(body: bytes) -> str | None:
    if not body.startswith(b"signed_request="):
        return None
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=4).get("signed_request", [""])[0]
    except ValueError:
        return ""


def _not_understood(body: bytes) -> Notice:
    return Notice(NoticeKind.OTHER, hashlib.sha256(body).hexdigest())


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
