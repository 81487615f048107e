"""Meta's error codes, each with what it means for us. A product adds rows of its own to these.

Judged by `code` and `error_subcode`, never first by the HTTP status: a limit can come as 400, a refusal as 500.
Meta's `message` is kept out of ours, because it quotes tokens; the trace id is kept, support asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.limits import Per
from platforms.meta.usage import regained_at
from platforms.wire import Answer, safe_code

USER_MESSAGE_MAX = 300


class Kind(Enum):
    """What an error means. UNCLEAR and LOOK are unknown outcomes where the call makes a post visible."""

    WAIT = auto()
    UNCLEAR = auto()
    """It broke somewhere: repeated where nothing can have become visible."""
    REPEAT = auto()
    """Refused before anything was done, and only for now."""
    LOOK = auto()
    """Probably posted already."""
    AUTHORISE_AGAIN = auto()
    REJECT = auto()
    OPERATOR = auto()


@dataclass(frozen=True)
class Row:
    """One error: its kind, what happened, and what the person can do about it.

    `wait_seconds` and `per`, who gets nothing more for a while, for WAIT alone.
    """

    kind: Kind
    detail: str
    advice: str = ""
    wait_seconds: int | None = None
    per: Per = Per.ACCOUNT


Key = tuple[int | None, int | None]
"""Code and subcode; None stands for any."""

Table = Mapping[Key, Row]

_SHORT_WAIT = "the limit of calls is reached"
_PERMISSION = Row(Kind.AUTHORISE_AGAIN, "a permission this needs is missing or was taken back")

ERRORS: Table = {
    (1, None): Row(Kind.UNCLEAR, "Meta had an unknown error"),
    (2, None): Row(Kind.UNCLEAR, "Meta's service was down for a moment"),
    (3, None): Row(Kind.OPERATOR, "our application lacks a capability this needs"),
    (4, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for our application", per=Per.APPLICATION),
    (17, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for the person"),
    (32, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for the Page"),
    (341, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for our application, for now", per=Per.APPLICATION),
    (613, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for this kind of call"),
    (80001, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for the Page"),
    (80002, None): Row(Kind.WAIT, f"{_SHORT_WAIT} for the Instagram account"),
    (10, None): _PERMISSION,
    **{(code, None): _PERMISSION for code in range(200, 300)},
    (102, None): Row(Kind.AUTHORISE_AGAIN, "the session is not valid any more"),
    (190, None): Row(Kind.AUTHORISE_AGAIN, "the access token is expired, revoked or invalid"),
    **{
        (code, subcode): Row(Kind.AUTHORISE_AGAIN, detail)
        for code in (102, 190)
        for subcode, detail in (
            (458, "the person removed our application"),
            (459, "Facebook wants the person to log in on its site first"),
            (460, "the person changed their password"),
            (463, "the access token has expired"),
            (464, "the person's account is not confirmed"),
            (467, "the access token is invalid"),
            (492, "the person has no role for this any more"),
        )
    },
    (100, None): Row(Kind.REJECT, "a value was refused", "Check the text, the link and the settings of the post."),
    (100, 33): Row(
        Kind.REJECT,
        "what was asked for is not there, or not for this account to see",
        "Look at the account, then schedule anew if needed.",
    ),
    (368, None): Row(
        Kind.REJECT,
        "the account is blocked from this for a time, for breaking a policy",
        "Look at the account's support inbox, and wait; repeating it makes things worse.",
    ),
    (506, None): Row(
        Kind.LOOK, "the same text is the account's latest post already", "Change the text, or leave it as it is posted."
    ),
    (803, None): Row(Kind.REJECT, "an address or name in the post is not known", "Check the link and the mentions."),
    (1609005, None): Row(Kind.REJECT, "the link could not be read", "Check that the link opens for everyone."),
    (None, 1609005): Row(Kind.REJECT, "the link could not be read", "Check that the link opens for everyone."),
}

PROOFS = frozenset({"190.458", "102.458"})
"""The person removed our application. A changed password or a log-in that Facebook wants first is not the end: what
the person allowed still stands."""


def graph_error(answer: Answer, table: Table, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer. `visible`: the call was to make a post visible, so doubt is an unknown outcome."""
    document = answer.json()
    error = document.get("error")
    if isinstance(error, dict):
        return _coded(answer, error, table, now=now, visible=visible)
    if "error_type" in document:
        # The authorisation hosts of Instagram and Threads answer in a form of their own.
        return _raised(
            _flat_row(document), safe_code(document.get("error_type")), "", answer=answer, now=now, visible=visible
        )
    row = _row_by_status(answer.status)
    return _raised(row, f"http_{answer.status}", "", answer=answer, now=now, visible=visible)


def code_of(answer: Answer) -> Key:
    """Code and subcode of an answer, None where it has none."""
    error = answer.json().get("error")
    return (_int(error.get("code")), _int(error.get("error_subcode"))) if isinstance(error, dict) else (None, None)


def row_for(code: int | None, subcode: int | None, table: Table) -> Row | None:
    """The closest row: of both, of the subcode under any code, of the code."""
    keys: tuple[Key, ...] = ((code, subcode), (None, subcode), (code, None))
    return next((table[key] for key in keys if key != (None, None) and key in table), None)


def _coded(answer: Answer, error: Mapping[str, Any], table: Table, *, now: datetime, visible: bool) -> PlatformError:
    code, subcode = _int(error.get("code")), _int(error.get("error_subcode"))
    row = row_for(code, subcode, table)
    if row is None:
        transient = error.get("is_transient") is True
        row = Row(Kind.UNCLEAR, "Meta calls it a passing error") if transient else _row_by_status(answer.status)
    word = "unknown" if code is None else f"{code}.{subcode}" if subcode is not None else str(code)
    return _raised(row, word, _addition(row, error), answer=answer, now=now, visible=visible)


def _raised(row: Row, word: str, addition: str, *, answer: Answer, now: datetime, visible: bool) -> PlatformError:
    detail = row.detail + addition
    match row.kind:
        case Kind.WAIT:
            fixed = None if row.wait_seconds is None else now + timedelta(seconds=row.wait_seconds)
            return RateLimited(word, detail, until=fixed or regained_at(answer.headers, now), per=row.per)
        case Kind.UNCLEAR:
            return (OutcomeUnknown if visible else Transient)(word, detail)
        case Kind.REPEAT:
            return Transient(word, detail)
        case Kind.LOOK if visible:
            return OutcomeUnknown(word, detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(word, detail)
        case Kind.OPERATOR:
            return Misconfigured(word, detail)
        case _:
            return Rejected(word, detail, advice=row.advice)


def _row_by_status(status: int) -> Row:
    if status == 429:
        return Row(Kind.WAIT, "too many calls")
    if status == 401:
        return ERRORS[190, None]
    if status >= 500 or status < 400:
        return Row(Kind.UNCLEAR, f"an answer with status {status} has no known form")
    return Row(Kind.REJECT, f"refused with status {status}", "Look at the account and the post's settings.")


def _flat_row(document: Mapping[str, Any]) -> Row:
    code = _int(document.get("code"))
    if code is not None and 400 <= code < 500:
        return Row(Kind.AUTHORISE_AGAIN, "the code or token is used, expired or not for us")
    return _row_by_status(code or 500)


def _addition(row: Row, error: Mapping[str, Any]) -> str:
    """What Meta says to the person, where they can do something about it, and the trace id."""
    parts = ""
    message = error.get("error_user_msg")
    if row.kind is Kind.REJECT and isinstance(message, str) and message.strip():
        # Nothing in it should be a credential; whatever is as long as one is left out all the same.
        parts += ": " + re.sub(r"\S{40,}", "…", " ".join(message.split()))[:USER_MESSAGE_MAX]
    trace = safe_code(error.get("fbtrace_id"))
    return parts if trace == "unknown" else f"{parts} (trace id {trace})"


def _int(value: object) -> int | None:
    """Codes come as numbers, in some answers as text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,12}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
