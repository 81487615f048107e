"""Bluesky's error words, each with what it means for us: the servers' XRPC names and OAuth's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import httpx

from platforms.bluesky.limits import RATE_LIMIT_WAIT_SECONDS
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


class Kind(Enum):
    WAIT = auto()
    REPEAT = auto()
    REPEAT_IF_INVISIBLE = auto()
    AUTHORISE_AGAIN = auto()
    REJECT = auto()
    OPERATOR = auto()


@dataclass(frozen=True)
class Row:
    """One error word: its kind, what happened, and what the person can do about it.

    `per`: who gets nothing more for a while, of an error that asks to wait; None if that is this post alone.
    """

    kind: Kind
    detail: str
    advice: str = ""
    per: Per | None = Per.ACCOUNT


_CHANGE_POST = "Change the post and have it approved again."
_ASK_BLUESKY = "Sign in to Bluesky with this account; it says there what to do."
_OTHER_VIDEO = "Export the video as MP4 (H.264, AAC), up to 10 minutes and 300 MB, and upload it again."
_TOMORROW = "Bluesky takes so many videos a day. Post this one tomorrow."
_PROOF = Row(Kind.OPERATOR, "the server does not accept the signature of our requests; is this machine's clock right?")

XRPC_ERRORS: Mapping[str, Row] = {
    "RateLimitExceeded": Row(Kind.WAIT, "the account's or address's limit is used up"),
    "InternalServerError": Row(Kind.REPEAT_IF_INVISIBLE, "the server had an internal error"),
    "UpstreamFailure": Row(Kind.REPEAT_IF_INVISIBLE, "a server behind it failed"),
    "NotEnoughResources": Row(Kind.REPEAT_IF_INVISIBLE, "the server is overloaded"),
    "UpstreamTimeout": Row(Kind.REPEAT_IF_INVISIBLE, "a server behind it did not answer"),
    "use_dpop_nonce": Row(Kind.REPEAT, "the server keeps asking for another nonce"),
    "BlobNotFound": Row(Kind.REPEAT, "the server no longer has an uploaded file"),
    "InvalidSwap": Row(Kind.REPEAT, "the record changed meanwhile"),
    "ExpiredToken": Row(Kind.AUTHORISE_AGAIN, "the token has expired"),
    "InvalidToken": Row(Kind.AUTHORISE_AGAIN, "the token is invalid"),
    "AuthMissing": Row(Kind.AUTHORISE_AGAIN, "the server saw no valid token"),
    "AuthenticationRequired": Row(Kind.AUTHORISE_AGAIN, "the server asks for a new sign-in"),
    "invalid_token": Row(Kind.AUTHORISE_AGAIN, "the token is invalid or has expired"),
    "invalid_dpop_proof": _PROOF,
    "ScopeMissingError": Row(Kind.AUTHORISE_AGAIN, "the person did not grant a permission this needs"),
    "AccountTakedown": Row(Kind.REJECT, "Bluesky has taken the account down", _ASK_BLUESKY),
    "AccountDeactivated": Row(Kind.REJECT, "the account is deactivated", _ASK_BLUESKY),
    "AccountNotFound": Row(Kind.REJECT, "the account is suspended or gone", _ASK_BLUESKY),
    "InvalidRequest": Row(Kind.REJECT, "the server refused the post's form", _CHANGE_POST),
    "InvalidMimeType": Row(Kind.REJECT, "a file is not of the type it claims", "Upload the media again."),
    "InvalidSize": Row(Kind.REJECT, "a file is not of the size it claims", "Upload the media again."),
    "PayloadTooLarge": Row(Kind.REJECT, "a file is too large for the server", "Use a smaller file."),
    "UnsupportedMediaType": Row(Kind.REJECT, "the server does not take this kind of file", "Use another format."),
    "UnsupportedContentType": Row(Kind.REJECT, "the video service does not take this kind of file", _OTHER_VIDEO),
    "VideoTooLarge": Row(Kind.REJECT, "the video is too large, alone or for what is left of today", _OTHER_VIDEO),
    "VideoTooLong": Row(Kind.REJECT, "the video is too long", _OTHER_VIDEO),
    "BadAspectRatio": Row(Kind.REJECT, "Bluesky does not show videos of this shape", _OTHER_VIDEO),
    "DailyLimitExceeded": Row(Kind.REJECT, "the account's videos of today are used up", _TOMORROW),
    "UploadForbidden": Row(Kind.REJECT, "the account may not upload videos", _ASK_BLUESKY),
    "TooManyOpenUploads": Row(Kind.WAIT, "other uploads of the account are not finished yet", per=None),
    "ServiceOverloaded": Row(Kind.REPEAT, "the video service is overloaded"),
    "UploadNotReady": Row(Kind.REPEAT, "the video service is still putting the upload together"),
    "MissingParts": Row(Kind.REPEAT, "the video service misses a part of the upload"),
    "PartSizeMismatch": Row(Kind.REPEAT, "a part of the upload did not arrive whole"),
    "InvalidPartNumber": Row(Kind.REPEAT, "the upload was cut into other parts"),
    "UploadNotFound": Row(Kind.REPEAT, "the video service no longer knows the upload"),
    "UploadExpired": Row(Kind.REPEAT, "the upload took too long"),
    "UploadFailed": Row(Kind.REPEAT, "the upload failed"),
    "UploadAborted": Row(Kind.REPEAT, "the upload was given up"),
    "UploadAlreadyCompleted": Row(Kind.REPEAT, "the upload was completed by an earlier attempt"),
    "BadExpiration": Row(Kind.OPERATOR, "the server does not lend a token for so long; is this machine's clock right?"),
    "XRPCNotSupported": Row(Kind.OPERATOR, "the server does not know this call"),
    "MethodNotImplemented": Row(Kind.OPERATOR, "the server does not offer this call"),
}

UPLOAD_LOST = frozenset(
    {
        "MissingParts",
        "PartSizeMismatch",
        "InvalidPartNumber",
        "UploadNotFound",
        "UploadExpired",
        "UploadFailed",
        "UploadAborted",
        "UploadAlreadyCompleted",
        "pds_upload_failure",
        "generic_failure",
    }
)
"""After these a video is sent anew, from its first part."""

PROCESSING_FAILURES: Mapping[str, Row] = {
    "validation_failure": Row(Kind.REJECT, "Bluesky cannot read the video", _OTHER_VIDEO),
    "encoding_failure": Row(Kind.REJECT, "Bluesky cannot convert the video", _OTHER_VIDEO),
    "pds_upload_unsupported_blob_size": Row(Kind.REJECT, "the account's server takes no such file", _OTHER_VIDEO),
    "pds_upload_failure": Row(Kind.REPEAT, "the video did not get to the account's server"),
    "generic_failure": Row(Kind.REPEAT, "Bluesky failed while processing the video"),
}
"""By the job's `failureCode`."""

REFUSED_UPLOADS: Mapping[str, Row] = {
    "unconfirmed_email": Row(Kind.REJECT, "the account's e-mail address is not confirmed", _ASK_BLUESKY),
    "DailyLimitExceeded": XRPC_ERRORS["DailyLimitExceeded"],
}
"""By the word with which the video service says that it takes nothing now."""

OAUTH_ERRORS: Mapping[str, Row] = {
    "invalid_grant": Row(Kind.AUTHORISE_AGAIN, "the code or token is used, revoked or expired"),
    "access_denied": Row(Kind.AUTHORISE_AGAIN, "the person refused the permission"),
    "invalid_token": Row(Kind.AUTHORISE_AGAIN, "the token is invalid or has expired"),
    "invalid_dpop_proof": _PROOF,
    "use_dpop_nonce": Row(Kind.REPEAT, "the server keeps asking for another nonce"),
    "server_error": Row(Kind.REPEAT, "the authorisation server had an internal error"),
    "temporarily_unavailable": Row(Kind.REPEAT, "the authorisation server is not available now"),
    "invalid_client": Row(Kind.OPERATOR, "the server does not accept our client metadata"),
    "invalid_client_metadata": Row(Kind.OPERATOR, "the server does not accept our client metadata"),
    "invalid_request": Row(Kind.OPERATOR, "the authorisation request is malformed"),
    "invalid_scope": Row(Kind.OPERATOR, "the server does not know a permission we ask for"),
    "unauthorized_client": Row(Kind.OPERATOR, "our application may not do this"),
}


def xrpc_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an XRPC answer. `visible`: a server error leaves open whether the record exists."""
    word = safe_code(answer.json().get("error"))
    row = XRPC_ERRORS.get(word) or _row_by_status(answer.status)
    return _raised(row, word, answer.headers, now=now, visible=visible)


def oauth_error(word: object, status: int, *, now: datetime, headers: httpx.Headers | None = None) -> PlatformError:
    """The error behind an answer of an authorisation server. Only its words end a grant."""
    code = safe_code(word)
    row = OAUTH_ERRORS.get(code)
    if row is None:
        row = OAUTH_ERRORS["invalid_client"] if status == 401 else _row_by_status(status)
    return _raised(row, code, headers or httpx.Headers(), now=now, visible=False)


def processing_failure(failure_code: str | None) -> PlatformError:
    """Why a video could not be processed; what has no known reason may succeed another time."""
    code = failure_code or ""
    row = PROCESSING_FAILURES.get(code)
    if row is None:
        code, row = "generic_failure", PROCESSING_FAILURES["generic_failure"]
    return Rejected(code, row.detail, advice=row.advice) if row.kind is Kind.REJECT else Transient(code, row.detail)


def no_uploads(word: str | None) -> PlatformError:
    """Why the account may not upload videos now."""
    row = REFUSED_UPLOADS.get(word or "", XRPC_ERRORS["UploadForbidden"])
    return Rejected(safe_code(word) if word else "UploadForbidden", row.detail, advice=row.advice)


def _row_by_status(status: int) -> Row:
    if status == 429:
        return XRPC_ERRORS["RateLimitExceeded"]
    if status >= 500 or status < 400:
        return Row(Kind.REPEAT_IF_INVISIBLE, f"the server's answer with status {status} has no known form")
    if status == 401:
        return XRPC_ERRORS["invalid_token"]
    if status == 413:
        return XRPC_ERRORS["PayloadTooLarge"]
    return Row(Kind.REJECT, f"the server refused with status {status}", _CHANGE_POST)


def _raised(row: Row, word: str, headers: httpx.Headers, *, now: datetime, visible: bool) -> PlatformError:
    match row.kind:
        case Kind.WAIT:
            return RateLimited(word, row.detail, until=_reset_time(headers, now), per=row.per)
        case Kind.REPEAT_IF_INVISIBLE if visible:
            return OutcomeUnknown(word, row.detail)
        case Kind.REPEAT | Kind.REPEAT_IF_INVISIBLE:
            return Transient(word, row.detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(word, row.detail)
        case Kind.REJECT:
            return Rejected(word, row.detail, advice=row.advice)
        case Kind.OPERATOR:
            return Misconfigured(word, row.detail)


def _reset_time(headers: httpx.Headers, now: datetime) -> datetime:
    """`RateLimit-Reset` in Unix seconds; without it five minutes, the window of the overall limit.

    A server's clock may be off, so the wait is kept between a second and a day.
    """
    value = headers.get("ratelimit-reset", "")
    if not (value.isascii() and value.isdigit() and len(value) <= 11):
        return now + timedelta(seconds=RATE_LIMIT_WAIT_SECONDS)
    wait = datetime.fromtimestamp(int(value), UTC) - now
    return now + min(max(wait, timedelta(seconds=1)), timedelta(days=1))
