"""Google's error words, each with what it means for us. Reads like the catalogue it was taken from.

The Data API names a reason for each error, then a status word, then the HTTP status; that is the order in
which they are believed. `outcomes` has what becomes of a video after it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from zoneinfo import ZoneInfo

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
from platforms.youtube.limits import (
    CHANNEL_CAP_WAIT_SECONDS,
    DAY_ZONE,
    RATE_LIMIT_WAIT_SECONDS,
    RETRY_AFTER_SECONDS_MAX,
)

PACIFIC = ZoneInfo(DAY_ZONE)
VIDEO_GONE = "videoNotFound"


class Kind(Enum):
    WAIT_A_MINUTE = auto()
    WAIT_FOR_MIDNIGHT = auto()
    WAIT_A_DAY = auto()
    REPEAT = auto()
    AUTHORISE_AGAIN = auto()
    REJECT = auto()
    OPERATOR = auto()


@dataclass(frozen=True)
class Row:
    """One error word: its kind, what happened, and what the person can do about it.

    `per`: who gets nothing more for a while, of an error that asks to wait.
    """

    kind: Kind
    detail: str
    advice: str = ""
    per: Per = Per.ACCOUNT


_USED_UP = Row(Kind.WAIT_FOR_MIDNIGHT, "the application has used up its quota of the day", per=Per.APPLICATION)
_SETTINGS = "Change it and have the post approved again."
_CHANNEL = "Look at the channel in YouTube Studio."
_THUMBNAIL = "Use a JPEG or PNG of 1280 × 720 pixels and at most 2 MB."

REASONS: Mapping[str, Row] = {
    # Soon again.
    "backendError": Row(Kind.REPEAT, "YouTube had an internal error"),
    "internalError": Row(Kind.REPEAT, "YouTube had an internal error"),
    "processingFailure": Row(Kind.REPEAT, "YouTube could not process the request"),
    "SERVICE_UNAVAILABLE": Row(Kind.REPEAT, "YouTube is not available now"),
    "UNAVAILABLE": Row(Kind.REPEAT, "YouTube is not available now"),
    "INTERNAL": Row(Kind.REPEAT, "YouTube had an internal error"),
    "rateLimitExceeded": Row(Kind.WAIT_A_MINUTE, "too many calls in a short time", per=Per.APPLICATION),
    "userRateLimitExceeded": Row(Kind.WAIT_A_MINUTE, "too many calls for this account in a short time"),
    "RESOURCE_EXHAUSTED": Row(Kind.WAIT_A_MINUTE, "too many calls in a short time", per=Per.APPLICATION),
    # After a reset.
    "quotaExceeded": _USED_UP,
    "dailyLimitExceeded": _USED_UP,
    "uploadLimitExceeded": Row(Kind.WAIT_A_DAY, "the channel has reached its uploads for the day"),
    "uploadRateLimitExceeded": Row(Kind.WAIT_A_DAY, "the channel has sent too many thumbnails"),
    # The grant.
    "authError": Row(Kind.AUTHORISE_AGAIN, "the access token is invalid or has expired"),
    "UNAUTHENTICATED": Row(Kind.AUTHORISE_AGAIN, "the access token is invalid or has expired"),
    "insufficientPermissions": Row(Kind.AUTHORISE_AGAIN, "the person did not grant a permission this needs"),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Row(Kind.AUTHORISE_AGAIN, "the person did not grant a permission this needs"),
    # The owner of the channel.
    "youtubeSignupRequired": Row(
        Kind.REJECT, "the Google account has no YouTube channel", "Create a channel, then connect it again."
    ),
    "forbidden": Row(
        Kind.REJECT,
        "the channel may not do this",
        "Look at the channel in YouTube Studio; a thumbnail needs a verified telephone number.",
    ),
    "accountDelegationForbidden": Row(Kind.REJECT, "the person may not act for this channel", _CHANNEL),
    "authenticatedUserAccountClosed": Row(Kind.REJECT, "the YouTube account is closed", _CHANNEL),
    "authenticatedUserAccountSuspended": Row(Kind.REJECT, "the YouTube account is suspended", _CHANNEL),
    "channelClosed": Row(Kind.REJECT, "the channel is closed", _CHANNEL),
    "channelSuspended": Row(Kind.REJECT, "the channel is suspended", _CHANNEL),
    # Our application at Google.
    "accessNotConfigured": Row(Kind.OPERATOR, "the YouTube API is switched off in the application's project"),
    # The post.
    "invalidTitle": Row(Kind.REJECT, "YouTube refused the title", _SETTINGS),
    "invalidDescription": Row(Kind.REJECT, "YouTube refused the description", _SETTINGS),
    "invalidTags": Row(Kind.REJECT, "YouTube refused the tags", _SETTINGS),
    "invalidCategoryId": Row(
        Kind.REJECT, "YouTube refused the category", "Choose a category of the channel's country."
    ),
    "invalidPublishAt": Row(Kind.REJECT, "YouTube refused the time of publication", _SETTINGS),
    "invalidVideoMetadata": Row(Kind.REJECT, "YouTube refused what is said of the video", _SETTINGS),
    "invalidFilename": Row(Kind.REJECT, "YouTube refused the file's name", _SETTINGS),
    "invalidRecordingDetails": Row(Kind.REJECT, "YouTube refused the recording's details", _SETTINGS),
    "invalidVideoGameRating": Row(Kind.REJECT, "YouTube refused the game's rating", _SETTINGS),
    "mediaBodyRequired": Row(Kind.REJECT, "YouTube got no file", "Upload the file again."),
    "defaultLanguageNotSet": Row(Kind.REJECT, "the language of the text is missing", "Choose the language."),
    "failedPrecondition": Row(Kind.REJECT, "the video is not in a state for this", _CHANNEL),
    "badRequest": Row(Kind.REJECT, "YouTube refused the request", "Check the post's text and settings."),
    "invalidValue": Row(Kind.REJECT, "YouTube refused a value of the post", "Check the post's text and settings."),
    "forbiddenLicenseSetting": Row(Kind.REJECT, "the channel may not use this licence", "Choose the standard licence."),
    "forbiddenPrivacySetting": Row(
        Kind.REJECT,
        "YouTube does not let this video be shown; it does so where an application is not audited",
        "Make the video public in YouTube Studio, and have the application audited by YouTube.",
    ),
    VIDEO_GONE: Row(Kind.REJECT, "the video is no longer there", "Schedule it anew if it is wanted."),
    "playlistNotFound": Row(Kind.REJECT, "there is no such playlist", "Choose a playlist of the channel."),
    "playlistItemsNotAccessible": Row(Kind.REJECT, "the playlist is not the channel's", "Choose one of the channel."),
    "playlistContainsMaximumNumberOfVideos": Row(Kind.REJECT, "the playlist is full", "Choose another playlist."),
    "commentsDisabled": Row(Kind.REJECT, "comments are switched off for the video", "Switch them on in Studio."),
    "commentTextTooLong": Row(Kind.REJECT, "the comment is too long", _SETTINGS),
    "commentTextRequired": Row(Kind.REJECT, "the comment is empty", _SETTINGS),
    "ineligibleAccount": Row(Kind.REJECT, "the account may not write comments", _CHANNEL),
    "invalidImage": Row(Kind.REJECT, "YouTube cannot read the thumbnail", _THUMBNAIL),
    "imageFormatUnsupported": Row(Kind.REJECT, "the thumbnail's format is not supported", _THUMBNAIL),
    "imageTooTall": Row(Kind.REJECT, "the thumbnail is too tall", _THUMBNAIL),
    "imageTooWide": Row(Kind.REJECT, "the thumbnail is too wide", _THUMBNAIL),
}

OAUTH_ERRORS: Mapping[str, Row] = {
    "invalid_grant": Row(Kind.AUTHORISE_AGAIN, "the code or token is used, revoked or expired"),
    "access_denied": Row(Kind.AUTHORISE_AGAIN, "the person, or their organisation, refused the permission"),
    "invalid_token": Row(Kind.AUTHORISE_AGAIN, "the token is revoked or expired"),
    "admin_policy_enforced": Row(Kind.AUTHORISE_AGAIN, "the organisation's administrator does not allow this"),
    "invalid_client": Row(Kind.OPERATOR, "client id or secret are wrong"),
    "unauthorized_client": Row(Kind.OPERATOR, "the application may not use this kind of authorisation"),
    "redirect_uri_mismatch": Row(Kind.OPERATOR, "the redirect address is not registered at Google"),
    "invalid_request": Row(Kind.OPERATOR, "the authorisation request is malformed"),
    "invalid_scope": Row(Kind.OPERATOR, "a permission that is asked for does not exist"),
    "unsupported_grant_type": Row(Kind.OPERATOR, "the kind of grant is unknown to Google"),
    "temporarily_unavailable": Row(Kind.REPEAT, "Google's authorisation is not available now"),
    "server_error": Row(Kind.REPEAT, "Google's authorisation had an internal error"),
    "internal_failure": Row(Kind.REPEAT, "Google's authorisation had an internal error"),
}


def api_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer of the Data or Analytics API; unknown words are judged by the HTTP status.

    A server error on a `visible` call leaves its outcome open, whatever its word is.
    """
    words = _words(answer)
    if answer.status >= 500 or answer.status < 400:
        word = words[0] if words else "unknown"
        detail = f"YouTube answered with status {answer.status}"
        return (OutcomeUnknown if visible else Transient)(word, detail)
    known = next((word for word in words if word in REASONS), None)
    word = known or (words[0] if words else "unknown")
    return _raised(REASONS[known] if known else _row_by_status(answer.status), word, answer, now)


def oauth_error(answer: Answer, now: datetime) -> PlatformError:
    """The error behind an answer of Google's token endpoint, whose JSON is flat. Only its words end a grant."""
    word = safe_code(answer.json().get("error"))
    row = OAUTH_ERRORS.get(word)
    if row is None or answer.status >= 500:
        row = OAUTH_ERRORS["invalid_client"] if answer.status == 401 else _row_by_status(answer.status)
    return _raised(row, word, answer, now)


def callback_error(word: object) -> PlatformError:
    """The error that came back with the person instead of a code."""
    code = safe_code(word)
    row = OAUTH_ERRORS.get(code) or OAUTH_ERRORS["access_denied"]
    if row.kind is Kind.OPERATOR:
        return Misconfigured(code, row.detail)
    if row.kind is Kind.REPEAT:
        return Transient(code, row.detail)
    return ReauthorisationNeeded(code, row.detail)


def next_midnight(now: datetime) -> datetime:
    """When Google's daily quotas start anew: midnight in the Pacific zone."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=PACIFIC).astimezone(now.tzinfo)


def _words(answer: Answer) -> list[str]:
    """Everything the answer calls its error, the most exact first."""
    error = answer.json().get("error")
    if not isinstance(error, dict):
        return []
    listed = [*_dicts(error.get("errors")), *_dicts(error.get("details"))]
    words = [*(item.get("reason") for item in listed), error.get("status")]
    return [word for word in map(safe_code, words) if word != "unknown"]


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _row_by_status(status: int) -> Row:
    if status == 429:
        return REASONS["rateLimitExceeded"]
    if status >= 500 or status < 400 or status == 408:
        return Row(Kind.REPEAT, f"Google's answer with status {status} has no known form")
    if status == 401:
        return REASONS["authError"]
    return Row(Kind.REJECT, f"YouTube refused with status {status}", "Look at the channel and the post's settings.")


def _raised(row: Row, word: str, answer: Answer, now: datetime) -> PlatformError:
    match row.kind:
        case Kind.WAIT_A_MINUTE:
            return RateLimited(word, row.detail, until=now + _pause(answer, RATE_LIMIT_WAIT_SECONDS), per=row.per)
        case Kind.WAIT_FOR_MIDNIGHT:
            return RateLimited(word, row.detail, until=next_midnight(now), per=row.per)
        case Kind.WAIT_A_DAY:
            return RateLimited(word, row.detail, until=now + _pause(answer, CHANNEL_CAP_WAIT_SECONDS), per=row.per)
        case Kind.REPEAT:
            return Transient(word, row.detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(word, row.detail)
        case Kind.REJECT:
            return Rejected(word, row.detail, advice=row.advice)
        case Kind.OPERATOR:
            return Misconfigured(word, row.detail)


def _pause(answer: Answer, otherwise_seconds: int) -> timedelta:
    """What `Retry-After` asks for, between a second and a day; Google seldom sends it."""
    asked = answer.headers.get("retry-after", "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else otherwise_seconds
    return timedelta(seconds=min(max(seconds, 1), RETRY_AFTER_SECONDS_MAX))
