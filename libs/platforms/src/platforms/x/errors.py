"""X's error words, each with what it means for us. Reads like the catalogue it was taken from.

X tells an error in one of three ways: the last part of a problem's `type`, an old number, or nothing but its words.
They are looked up in that order, and then by the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
from platforms.wire import Answer, safe_code
from platforms.x.limits import CREDITS_WAIT_SECONDS, DAY_WAIT_SECONDS, WINDOW_SECONDS
from platforms.x.waiting import used_up_by, wait_until


class Kind(Enum):
    WAIT = auto()
    WAIT_A_DAY = auto()
    WAIT_FOR_CREDITS = auto()
    REPEAT = auto()
    AUTHORISE_AGAIN = auto()
    REJECT = auto()
    OPERATOR = auto()


@dataclass(frozen=True)
class Row:
    """One error: its kind, the word we call it by, what happened, and what the person can do about it.

    `per`: who gets nothing more for a while, of an error that asks to wait.
    """

    kind: Kind
    code: str
    detail: str
    advice: str = ""
    per: Per = Per.ACCOUNT


DUPLICATE = "duplicate_content"
MEDIA_INVALID = "media_invalid"
NOT_THERE = "resource-not-found"

_DUPLICATE = Row(
    Kind.REJECT,
    DUPLICATE,
    "X has seen the same text from this account lately",
    "Change the text, or look at the account: it may be posted already.",
)
_LOCKED = Row(
    Kind.AUTHORISE_AGAIN, "account_locked", "X has suspended or locked the account; its owner must sign in there"
)
_TOO_LONG = Row(Kind.REJECT, "text_too_long", "the text is too long for this account", "Shorten the text.")
_BAD_TOKEN = Row(Kind.AUTHORISE_AGAIN, "unauthorized", "the access token is invalid or has expired")
_RATE = Row(Kind.WAIT, "rate_limited", "too many calls within fifteen minutes")
_NOT_THERE = Row(
    Kind.REJECT, NOT_THERE, "a post this one answers or quotes is gone", "Choose another post to refer to."
)

PROBLEMS: Mapping[str, Row] = {
    "rate-limit-exceeded": _RATE,
    "usage-capped": Row(
        Kind.WAIT_A_DAY,
        "usage-capped",
        "the application has used up what its plan allows",
        per=Per.APPLICATION,
    ),
    "credits": Row(
        Kind.WAIT_FOR_CREDITS, "credits_depleted", "the application has no credits left at X", per=Per.APPLICATION
    ),
    "unsupported-authentication": Row(
        Kind.AUTHORISE_AGAIN, "unsupported-authentication", "the token is of a kind that may not do this"
    ),
    "oauth1-permissions": Row(
        Kind.AUTHORISE_AGAIN, "oauth1-permissions", "the grant lacks a permission that this needs"
    ),
    "client-forbidden": Row(
        Kind.OPERATOR, "client-forbidden", "our application is not enrolled for this at X's developer portal"
    ),
    "invalid-request": Row(
        Kind.REJECT, "invalid-request", "X refused a value of the post", "Check the text and the settings."
    ),
    "resource-not-found": _NOT_THERE,
    "resource-unavailable": Row(
        Kind.REJECT, "resource-unavailable", "a post this one refers to cannot be seen", "Choose another post."
    ),
    "not-authorized-for-resource": Row(
        Kind.REJECT,
        "not-authorized-for-resource",
        "the account may not see what this refers to",
        "Choose another post.",
    ),
    "not-authorized-for-field": Row(
        Kind.REJECT, "not-authorized-for-field", "the account may not see a number that was asked for", "Nothing to do."
    ),
    "field-unauthorized": Row(
        Kind.REJECT, "field-unauthorized", "the application may not see a number that was asked for", "Nothing to do."
    ),
    "field-hydration-failure": Row(Kind.REPEAT, "field-hydration-failure", "X could not read a value just now"),
    "disallowed-resource": Row(
        Kind.REJECT, "disallowed-resource", "what this refers to is not allowed", "Choose another post."
    ),
    "internal-error": Row(Kind.REPEAT, "internal-error", "X had an internal error"),
    "conflict": Row(Kind.REPEAT, "conflict", "X is at work on the same thing"),
}
"""By the last part of a problem's `type`."""

NUMBERS: Mapping[int, Row] = {
    64: _LOCKED,
    88: _RATE,
    89: _BAD_TOKEN,
    185: Row(Kind.WAIT_A_DAY, "daily_limit", "the account has reached its posts for the day"),
    186: _TOO_LONG,
    187: _DUPLICATE,
    226: Row(
        Kind.REJECT,
        "looks_automated",
        "X takes the post for automated",
        "Wait, and post from X's own app; repeating it makes things worse.",
    ),
    326: _LOCKED,
}
"""By the `code` of the older form."""

WORDS: tuple[tuple[str, Row], ...] = (
    ("duplicate content", _DUPLICATE),
    ("creditsdepleted", PROBLEMS["credits"]),
    (
        "media ids are invalid",
        Row(Kind.REJECT, MEDIA_INVALID, "X no longer knows a file of the post", "Schedule the post anew."),
    ),
    (
        "media type unrecognized",
        Row(Kind.REJECT, "media_type", "X cannot read a file of the post", "Export it as JPEG, PNG or MP4."),
    ),
    ("maximum of one cashtag", Row(Kind.REJECT, "cashtags", "X takes at most one cashtag", "Remove the others.")),
    ("contains an invalid url", Row(Kind.REJECT, "link_refused", "X refuses a link of the post", "Change the link.")),
    (
        "video longer than",
        Row(Kind.REJECT, "video_too_long", "the account may not post so long a video", "Cut the video to 140 seconds."),
    ),
)
"""By what is said in `title`, `detail` or a message, in small letters; the first that fits."""

FORBIDDEN_WORDS: tuple[tuple[str, Row], ...] = (
    ("suspended", _LOCKED),
    ("temporarily locked", _LOCKED),
    (
        "not permitted to access this feature",
        Row(Kind.REJECT, "feature", "the account may not use a feature of this post", "Choose other settings."),
    ),
    (
        "mention",
        Row(Kind.REJECT, "mention", "X does not let the application mention this account", "Remove the mention."),
    ),
    ("scope", PROBLEMS["oauth1-permissions"]),
    (
        "not permitted to perform this action",
        Row(
            Kind.REJECT,
            "not_permitted",
            "X does not permit this, without saying why; a text that is too long is refused so",
            "Check the length, the replies' settings and the account in X's app.",
        ),
    ),
)
"""The same, where the status is 403."""

STATUSES: Mapping[int, Row] = {
    401: _BAD_TOKEN,
    402: PROBLEMS["credits"],
    404: _NOT_THERE,
    408: Row(Kind.REPEAT, "busy", "X took too long to read the request"),
    409: PROBLEMS["conflict"],
    429: _RATE,
}

OAUTH_ERRORS: Mapping[str, Row] = {
    "invalid_grant": Row(Kind.AUTHORISE_AGAIN, "invalid_grant", "the code or token is used, revoked or expired"),
    "access_denied": Row(Kind.AUTHORISE_AGAIN, "access_denied", "the person refused the permission"),
    "unauthorized_client": Row(Kind.OPERATOR, "unauthorized_client", "client id or secret are wrong"),
    "invalid_client": Row(Kind.OPERATOR, "invalid_client", "client id or secret are wrong"),
    "invalid_scope": Row(Kind.OPERATOR, "invalid_scope", "the application may not ask for one of the permissions"),
    "unsupported_grant_type": Row(Kind.OPERATOR, "unsupported_grant_type", "the kind of grant is unknown to X"),
    "invalid_request": Row(Kind.OPERATOR, "invalid_request", "the authorisation request is malformed"),
    "server_error": Row(Kind.REPEAT, "server_error", "X's authorisation had an internal error"),
    "temporarily_unavailable": Row(Kind.REPEAT, "temporarily_unavailable", "X's authorisation is not available now"),
}


def api_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer of the API. `visible`: it was the step that shows a post."""
    document = answer.json()
    if visible and (answer.status >= 500 or answer.status < 400):
        return OutcomeUnknown("server_error", f"X answered with status {answer.status}, and the post may be out")
    return _raised(_row(answer.status, document), answer, now=now)


def oauth_error(answer: Answer, now: datetime) -> PlatformError:
    """The error behind an answer of the token endpoint, which calls a dead token an invalid request."""
    document = answer.json()
    word = safe_code(document.get("error"))
    if word == "invalid_request" and "was invalid" in str(document.get("error_description")):
        return _raised(OAUTH_ERRORS["invalid_grant"], answer, now=now)
    if answer.status >= 500 or answer.status < 400 or answer.status == 429:
        return _raised(_by_status(answer.status), answer, now=now)
    return _raised(OAUTH_ERRORS.get(word) or _unknown_oauth(answer.status, word), answer, now=now)


def refused_by_person(word: object) -> PlatformError:
    """The callback brought an error instead of a code."""
    row = OAUTH_ERRORS.get(safe_code(word)) or OAUTH_ERRORS["access_denied"]
    return (Misconfigured if row.kind is Kind.OPERATOR else ReauthorisationNeeded)(row.code, row.detail)


def _row(status: int, document: Mapping[str, Any]) -> Row:
    listed = document.get("errors")
    entries = [document, *(entry for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, dict))]
    said = " ".join(str(entry.get(name, "")) for entry in entries for name in ("title", "detail", "message")).lower()
    heard = WORDS + FORBIDDEN_WORDS if status == 403 else WORDS
    by_words = next((row for words, row in heard if words in said), None)
    by_type = next((row for entry in entries if (row := PROBLEMS.get(_last_part(entry.get("type"))))), None)
    by_number = next((row for entry in entries if (row := _numbered(entry.get("code")))), None)
    if by_type is PROBLEMS["invalid-request"] and by_words:
        return by_words
    return by_type or by_number or STATUSES.get(status) or by_words or _by_status(status)


def _last_part(kind: object) -> str:
    return kind.rsplit("/", 1)[-1] if isinstance(kind, str) and "/problems/" in kind else ""


def _numbered(code: object) -> Row | None:
    return NUMBERS.get(code) if isinstance(code, int) else None


def _by_status(status: int) -> Row:
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500 or status < 400:
        return Row(Kind.REPEAT, "server_error", f"X's answer with status {status} has no known form")
    return Row(Kind.REJECT, f"status_{status}", f"X refused with status {status}", "Look at the account in X's app.")


def _unknown_oauth(status: int, word: str) -> Row:
    if status == 401:
        return OAUTH_ERRORS["unauthorized_client"]
    return Row(Kind.OPERATOR, word, f"X's authorisation refused with status {status}")


def _raised(row: Row, answer: Answer, *, now: datetime) -> PlatformError:
    match row.kind:
        case Kind.WAIT:
            until = wait_until(answer.headers, now, WINDOW_SECONDS)
            return RateLimited(row.code, row.detail, until=until, per=used_up_by(answer.headers) or row.per)
        case Kind.WAIT_A_DAY:
            return RateLimited(
                row.code, row.detail, until=wait_until(answer.headers, now, DAY_WAIT_SECONDS), per=row.per
            )
        case Kind.WAIT_FOR_CREDITS:
            return RateLimited(row.code, row.detail, until=wait_until({}, now, CREDITS_WAIT_SECONDS), per=row.per)
        case Kind.REPEAT:
            return Transient(row.code, row.detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(row.code, row.detail)
        case Kind.REJECT:
            return Rejected(row.code, row.detail, advice=row.advice)
        case Kind.OPERATOR:
            return Misconfigured(row.code, row.detail)
