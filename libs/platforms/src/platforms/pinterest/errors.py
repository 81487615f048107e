"""Pinterest's errors, each with what it means for us. The HTTP status decides first, then the code, then words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

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
from platforms.pinterest.limits import RATE_LIMIT_WAIT_SECONDS, SPAM_WAIT_SECONDS, WAIT_SECONDS_MAX
from platforms.wire import Answer


class Kind(Enum):
    WAIT = auto()
    WAIT_LONG = auto()
    REPEAT = auto()
    UNCLEAR = auto()
    AUTHORISE_AGAIN = auto()
    REJECT = auto()
    OPERATOR = auto()


@dataclass(frozen=True)
class Row:
    """One error: its kind, what happened, and what the person can do about it."""

    kind: Kind
    detail: str
    advice: str = ""


_CHANGE = "Change the pin and have it approved again."
_CHOOSE_BOARD = "Choose another board for this pin and have it approved again."

GRANT_INVALID = 283

ERRORS: Mapping[tuple[int, int | None], Row] = {
    (401, 2): Row(Kind.AUTHORISE_AGAIN, "Pinterest does not accept the token any more"),
    (401, 3): Row(Kind.AUTHORISE_AGAIN, "the person did not grant a permission this needs"),
    (401, None): Row(Kind.AUTHORISE_AGAIN, "Pinterest asks for a new authorisation"),
    (400, GRANT_INVALID): Row(Kind.AUTHORISE_AGAIN, "the code or refresh token is used, revoked or expired"),
    (401, GRANT_INVALID): Row(Kind.AUTHORISE_AGAIN, "the code or refresh token is used, revoked or expired"),
    (403, 29): Row(Kind.OPERATOR, "our application or the account may not do this; trial access cannot create pins"),
    (403, None): Row(Kind.OPERATOR, "Pinterest does not permit this"),
    (404, 40): Row(Kind.REJECT, "the board is not there", _CHOOSE_BOARD),
    (404, 50): Row(Kind.REJECT, "the pin is not there", "Schedule it anew if it is wanted."),
    (404, None): Row(Kind.REJECT, "the board or section is not there", _CHOOSE_BOARD),
    (400, 1): Row(Kind.REJECT, "Pinterest refused a value of the pin", _CHANGE),
    (400, None): Row(Kind.REJECT, "Pinterest refused the pin's form", _CHANGE),
    (429, None): Row(Kind.WAIT, "the rate limit is used up"),
}
"""By HTTP status and code; None stands for any code."""

WORDS: Mapping[str, Row] = {
    "spam": Row(Kind.WAIT_LONG, "Pinterest holds the account for spam; its owner should look at it there"),
    "unable to reach the url": Row(Kind.REPEAT, "Pinterest could not fetch a file from its address"),
}
"""Words of the message that decide before the table does."""

OAUTH_CLIENT = Row(Kind.OPERATOR, "Pinterest does not accept our application's id or secret")


def api_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer of the API. `visible`: a server error leaves open whether the pin exists."""
    code, message = _told(answer)
    for words, row in WORDS.items():
        if answer.status in (400, 403, 429) and words in message:
            return _raised(row, code, answer, now=now, visible=visible)
    row = ERRORS.get((answer.status, code)) or ERRORS.get((answer.status, None)) or _by_status(answer.status)
    return _raised(row, code, answer, now=now, visible=visible)


def oauth_error(answer: Answer, now: datetime) -> PlatformError:
    """The error behind an answer of the token endpoint, where 401 without a grant's code means our own credentials."""
    code, _ = _told(answer)
    if answer.status == 401 and code != GRANT_INVALID:
        return _raised(OAUTH_CLIENT, code, answer, now=now, visible=False)
    return api_error(answer, now=now)


def _told(answer: Answer) -> tuple[int | None, str]:
    document = answer.json()
    code = document.get("code")
    return (code if isinstance(code, int) else None), str(document.get("message", "")).lower()


def _by_status(status: int) -> Row:
    if status >= 500 or status < 400:
        return Row(Kind.UNCLEAR, f"Pinterest's answer with status {status} has no known form")
    return Row(Kind.REJECT, f"Pinterest refused with status {status}", _CHANGE)


def _raised(row: Row, code: int | None, answer: Answer, *, now: datetime, visible: bool) -> PlatformError:
    word = f"{answer.status}.{code}" if code is not None else str(answer.status)
    match row.kind:
        case Kind.WAIT:
            return RateLimited(word, row.detail, until=now + _reset(answer), per=Per.ACCOUNT)
        case Kind.WAIT_LONG:
            return RateLimited(word, row.detail, until=now + timedelta(seconds=SPAM_WAIT_SECONDS), per=Per.ACCOUNT)
        case Kind.UNCLEAR if visible:
            return OutcomeUnknown(word, row.detail)
        case Kind.REPEAT | Kind.UNCLEAR:
            return Transient(word, row.detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(word, row.detail)
        case Kind.REJECT:
            return Rejected(word, row.detail, advice=row.advice)
        case Kind.OPERATOR:
            return Misconfigured(word, row.detail)


def _reset(answer: Answer) -> timedelta:
    """`Retry-After` or `x-ratelimit-reset`, both in seconds, kept between a second and a day; else a minute."""
    for header in ("retry-after", "x-ratelimit-reset"):
        value = answer.headers.get(header, "")
        if value.isascii() and value.isdigit() and len(value) <= 9:
            return timedelta(seconds=min(max(int(value), 1), WAIT_SECONDS_MAX))
    return timedelta(seconds=RATE_LIMIT_WAIT_SECONDS)
