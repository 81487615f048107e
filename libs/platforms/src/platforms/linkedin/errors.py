"""LinkedIn's errors, each with what it means for us.

An answer names its error up to three times; the most precise name that is known decides: the first input error's code,
then the code, then the service's number, at last the HTTP status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
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
from platforms.linkedin.limits import PROCESSING_ASK_AGAIN_SECONDS, RATE_LIMIT_WAIT_SECONDS, WAIT_SECONDS_MAX
from platforms.wire import Answer, safe_code

DUPLICATE = "DUPLICATE_POST"
MEDIA_WAITING = "MEDIA_ASSET_WAITING_UPLOAD"
UPLOAD_EXPIRED = "EXPIRED_UPLOAD_URL"
GONE = frozenset({"NOT_FOUND", "404"})

_URN = re.compile(r"urn:li:(?:share|ugcPost):[0-9]{1,20}")


class Kind(Enum):
    WAIT = auto()
    WAIT_FOR_MEDIA = auto()
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


class Duplicate(Rejected):
    """LinkedIn has this post already. `post_urn` is the earlier one, if LinkedIn named it."""

    def __init__(self, post_urn: str | None) -> None:
        row = ERRORS[DUPLICATE]
        super().__init__(DUPLICATE, row.detail, advice=row.advice)
        self.post_urn = post_urn


_CHANGE = "Change the post and have it approved again."
_EXPORT_AGAIN = "Export the file anew, upload it again and have the post approved again."
_REFUSED = Row(Kind.REJECT, "LinkedIn refused a value of the post", _CHANGE)
_TOKEN = Row(Kind.AUTHORISE_AGAIN, "LinkedIn does not accept the token any more")
_VERSION = Row(Kind.OPERATOR, "LinkedIn does not serve this version of its API (any more)")
_ROLE = Row(Kind.AUTHORISE_AGAIN, "a permission is missing, or the person may no longer act for the organisation")

ERRORS: Mapping[str | int, Row] = {
    "TOO_MANY_REQUESTS": Row(Kind.WAIT, "the rate limit is used up"),
    "CONFLICT": Row(Kind.REPEAT, "LinkedIn asks for the request again"),
    MEDIA_WAITING: Row(Kind.WAIT_FOR_MEDIA, "LinkedIn is still taking in a file of the post"),
    UPLOAD_EXPIRED: Row(Kind.REPEAT, "the upload's address has run out; the file is registered anew"),
    "INVALID_ACCESS_TOKEN": _TOKEN,
    "REVOKED_ACCESS_TOKEN": _TOKEN,
    "EXPIRED_ACCESS_TOKEN": _TOKEN,
    "EMPTY_ACCESS_TOKEN": _TOKEN,
    65600: _TOKEN,
    65601: _TOKEN,
    65602: _TOKEN,
    65604: _TOKEN,
    "ACCESS_DENIED": _ROLE,
    100: _ROLE,
    "MISSING_FIELD": _REFUSED,
    "INVALID_URN_TYPE": _REFUSED,
    "INVALID_URN_ID": _REFUSED,
    "INVALID_VALUE_FOR_FIELD": _REFUSED,
    "INVALID_VALUE_BLANK_FIELD": _REFUSED,
    "FIELD_LENGTH_TOO_LONG": Row(Kind.REJECT, "a text of the post is too long", _CHANGE),
    "ILLEGAL_ARGUMENT": _REFUSED,
    "UNPROCESSABLE_ENTITY": _REFUSED,
    "MEDIA_ASSET_PROCESSING_FAILED": Row(Kind.REJECT, "LinkedIn could not process a file", _EXPORT_AGAIN),
    "INVALID_VIDEO_ID": Row(Kind.REJECT, "LinkedIn does not know the video", _EXPORT_AGAIN),
    DUPLICATE: Row(Kind.REJECT, "LinkedIn has a post that says the same", "Change the text, or post it tomorrow."),
    "VERSION_MISSING": _VERSION,
    "NONEXISTENT_VERSION": _VERSION,
    "NOT_FOUND": Row(Kind.REJECT, "what was asked for is not there", "Schedule the post anew if it is wanted."),
}
"""By code, or by the service's number."""

ROLE_CODES = frozenset({"ACCESS_DENIED", "100", "403"})
"""How a missing right is called, be it of the grant or of the person. A dead token is called otherwise."""

STATUSES: Mapping[int, Row] = {
    401: _TOKEN,
    403: _ROLE,
    404: ERRORS["NOT_FOUND"],
    409: ERRORS["CONFLICT"],
    426: _VERSION,
    429: ERRORS["TOO_MANY_REQUESTS"],
}
"""For codes that are not known."""

OAUTH: Mapping[str, Row] = {
    "invalid_request": Row(Kind.AUTHORISE_AGAIN, "the code or refresh token is used, revoked or expired"),
    "invalid_grant": Row(Kind.AUTHORISE_AGAIN, "the code or refresh token is used, revoked or expired"),
    "invalid_redirect_uri": Row(Kind.OPERATOR, "LinkedIn does not know our redirect address"),
    "invalid_client": Row(Kind.OPERATOR, "LinkedIn does not accept our application's id or secret"),
    "unauthorized_client": Row(Kind.OPERATOR, "LinkedIn does not permit our application to do this"),
}
"""Words of the token endpoint."""


def api_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer of the API. `visible`: a server error leaves open whether the post exists."""
    names = list(_names(answer))
    if DUPLICATE in names:
        named = _URN.search(str(answer.json().get("message", "")))
        return Duplicate(named[0] if named else None)
    known = next((name for name in names if name in ERRORS), None)
    word = safe_code(str(known or next(iter(names), answer.status)))
    # A server error shows no less of a post for having a code we know.
    row = _by_status(answer.status) if answer.status >= 500 or known is None else ERRORS[known]
    return _raised(row, word, answer, now=now, visible=visible)


def oauth_error(answer: Answer, now: datetime) -> PlatformError:
    """The error behind an answer of the token endpoint, where 401 and 403 are about us. Only words end a grant."""
    word = safe_code(answer.json().get("error"))
    about_us = {401: OAUTH["invalid_client"], 403: OAUTH["unauthorized_client"]}
    row = OAUTH.get(word) or about_us.get(answer.status)
    return _raised(row, word, answer, now=now, visible=False) if row else api_error(answer, now=now)


def _names(answer: Answer) -> Iterator[str | int]:
    """What the answer calls its error, the most precise name first."""
    document = answer.json()
    details = document.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    first = inputs[0] if isinstance(inputs, list) and inputs else None
    for told in (first, document):
        if isinstance(told, dict) and isinstance(told.get("code"), str):
            yield told["code"]
    number = document.get("serviceErrorCode")
    if isinstance(number, int) and number:
        yield number


def _by_status(status: int) -> Row:
    if status >= 500 or status < 400:
        return Row(Kind.UNCLEAR, f"LinkedIn's answer with status {status} has no known form")
    return STATUSES.get(status) or Row(Kind.REJECT, f"LinkedIn refused with status {status}", _CHANGE)


def _raised(row: Row, word: str, answer: Answer, *, now: datetime, visible: bool) -> PlatformError:
    match row.kind:
        case Kind.WAIT:
            return RateLimited(word, row.detail, until=_until(answer, now), per=_per(answer))
        case Kind.WAIT_FOR_MEDIA:
            return RateLimited(word, row.detail, until=now + timedelta(seconds=PROCESSING_ASK_AGAIN_SECONDS))
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


def _per(answer: Answer) -> Per:
    """Whose limit it is stands in the words only: "… throttle APPLICATION DAY limit …"."""
    return Per.APPLICATION if re.search(r"\bAPPLICATION\b", str(answer.json().get("message", ""))) else Per.ACCOUNT


def _until(answer: Answer, now: datetime) -> datetime:
    """A quota of a day begins anew at midnight UTC; any other limit is waited for a minute, or as long as it says."""
    if re.search(r"\bDAY\b", str(answer.json().get("message", ""))):
        return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    told = answer.headers.get("retry-after", "")
    seconds = int(told) if told.isascii() and told.isdigit() and len(told) <= 9 else RATE_LIMIT_WAIT_SECONDS
    return now + timedelta(seconds=min(max(seconds, 1), WAIT_SECONDS_MAX))
