"""TikTok's error words, each with what it means for us. Reads like the catalogue it was taken from.

Success is `error.code == "ok"`, never the HTTP status: creator_info refuses with status 200.
"""

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
from platforms.shape import Refused
from platforms.tiktok.limits import DAILY_CAP_WAIT_SECONDS, RATE_LIMIT_WAIT_SECONDS
from platforms.wire import safe_code


class Kind(Enum):
    WAIT_A_MINUTE = auto()
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


API_ERRORS: Mapping[str, Row] = {
    "rate_limit_exceeded": Row(Kind.WAIT_A_MINUTE, "too many calls for this account within a minute"),
    "internal_error": Row(Kind.REPEAT, "TikTok had an internal error"),
    "internal": Row(Kind.REPEAT, "TikTok had an internal error"),
    "spam_risk_too_many_posts": Row(Kind.WAIT_A_DAY, "the account has reached its posts for the day"),
    "spam_risk_too_many_pending_share": Row(Kind.WAIT_A_DAY, "too many drafts wait in the account's inbox"),
    # Those who posted today still may.
    "reached_active_user_cap": Row(Kind.WAIT_A_DAY, "the application has reached its posting users for the day"),
    "access_token_invalid": Row(Kind.AUTHORISE_AGAIN, "the access token is invalid or has expired"),
    "scope_not_authorized": Row(Kind.AUTHORISE_AGAIN, "the person did not grant a permission this needs"),
    "scope_permission_missed": Row(Kind.AUTHORISE_AGAIN, "the grant lacks a permission this needs"),
    "privacy_level_option_mismatch": Row(
        Kind.REJECT,
        "the account no longer offers the chosen audience",
        "Choose again who can see the post, from what the account offers now.",
    ),
    "spam_risk_user_banned_from_posting": Row(
        Kind.REJECT, "TikTok has banned the account from posting", "Ask TikTok's support about the account."
    ),
    "invalid_param": Row(Kind.REJECT, "TikTok refused a value of the post", "Check the caption and the settings."),
    "invalid_params": Row(Kind.REJECT, "TikTok refused a value of the request", "Check the caption and the settings."),
    "invalid_file_upload": Row(
        Kind.REJECT, "TikTok refused the file", "Export a video as MP4 (H.264), images as JPEG, and upload them again."
    ),
    "invalid_publish_id": Row(
        Kind.REJECT, "TikTok does not know this publication", "Look at the account, then schedule anew if needed."
    ),
    "token_not_authorized_for_specified_publish_id": Row(
        Kind.REJECT,
        "the publication belongs to another authorisation",
        "Look at the account, then schedule anew if needed.",
    ),
    "app_version_check_failed": Row(
        Kind.REJECT, "the creator's TikTok app is too old for this", "Update the TikTok app to 31.8 or newer."
    ),
    "unaudited_client_can_only_post_to_private_accounts": Row(
        Kind.OPERATOR, "TikTok has not audited our application, so it may only post to private accounts"
    ),
    "url_ownership_unverified": Row(Kind.OPERATOR, "TikTok has not verified that the media address is ours"),
}

OAUTH_ERRORS: Mapping[str, Row] = {
    "invalid_grant": Row(Kind.AUTHORISE_AGAIN, "the code or token is used, revoked or expired"),
    "access_denied": Row(Kind.AUTHORISE_AGAIN, "the person refused the permission"),
    "server_error": Row(Kind.REPEAT, "TikTok's authorisation had an internal error"),
    "temporarily_unavailable": Row(Kind.REPEAT, "TikTok's authorisation is not available now"),
    "invalid_client": Row(Kind.OPERATOR, "client key or secret are wrong"),
    "invalid_request": Row(Kind.OPERATOR, "the authorisation request is malformed"),
    "invalid_scope": Row(Kind.OPERATOR, "the application is not approved for a permission it asks for"),
    "unauthorized_client": Row(Kind.OPERATOR, "the application may not use this kind of authorisation"),
    "unsupported_grant_type": Row(Kind.OPERATOR, "the kind of grant is unknown to TikTok"),
    "unsupported_response_type": Row(Kind.OPERATOR, "the kind of answer is unknown to TikTok"),
}

FAIL_REASONS: Mapping[str, Refused] = {
    row.code: row
    for row in (
        Refused(
            "file_format_check_failed",
            "TikTok cannot read a file",
            "Export a video as MP4 with H.264, images as JPEG, and try again.",
        ),
        Refused("duration_check_failed", "the video's length is not accepted", "Cut it to what the account may post."),
        Refused("frame_rate_check_failed", "the frame rate is not accepted", "Export the video with 23 to 60 fps."),
        Refused(
            "picture_size_check_failed",
            "the size of a picture is not accepted",
            "Export a video with sides of 360 to 4096 pixels, images with at most 1080 by 1920.",
        ),
        Refused("internal", "TikTok failed while processing the post", "Try again.", repeatable=True),
        Refused("video_pull_failed", "TikTok could not fetch the video", "Try again.", repeatable=True),
        Refused("photo_pull_failed", "TikTok could not fetch an image", "Try again.", repeatable=True),
        Refused("publish_cancelled", "the publication was cancelled at TikTok", "Schedule it anew if it is wanted."),
        Refused(
            "auth_removed",
            "the person withdrew the permission meanwhile",
            "Connect the account again.",
            repeatable=True,
        ),
        Refused(
            "spam_risk_too_many_posts",
            "the account has reached its posts for the day",
            "Try again tomorrow.",
            repeatable=True,
        ),
        Refused(
            "spam_risk_user_banned_from_posting",
            "TikTok has banned the account from posting",
            "Ask TikTok's support about the account.",
        ),
        Refused("spam_risk_text", "TikTok holds the caption for spam", "Change the caption."),
        Refused("spam_risk", "TikTok holds the post for spam", "Change the post; repeating it makes things worse."),
    )
}


def api_error(status: int, code: object, *, log_id: object, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer of the posting or display API; unknown words are judged by the HTTP status.

    A server error is safe to repeat, except on the one call that is `visible`: the start of a photo post.
    """
    word = safe_code(code)
    row = API_ERRORS.get(word) or _row_by_status(status)
    if visible and (row.kind is Kind.REPEAT or status >= 500):
        return OutcomeUnknown(word, _with_log_id(row.detail, log_id))
    return _raised(row, word, log_id=log_id, now=now)


def oauth_error(status: int, code: object, *, log_id: object, now: datetime) -> PlatformError:
    """The error behind an answer of an authorisation endpoint, whose JSON is flat. Only its words end a grant."""
    word = safe_code(code)
    row = OAUTH_ERRORS.get(word)
    if row is None:
        row = OAUTH_ERRORS["invalid_client"] if status == 401 else _row_by_status(status)
    return _raised(row, word, log_id=log_id, now=now)


def refusal(reason: object) -> Refused:
    """What a `fail_reason` means; one TikTok adds later is final until a person has looked."""
    word = safe_code(reason)
    return FAIL_REASONS.get(word) or Refused(word, "TikTok refused the post", "Look at the account in TikTok's app.")


def _row_by_status(status: int) -> Row:
    if status == 429:
        return API_ERRORS["rate_limit_exceeded"]
    if status >= 500 or status < 400:
        return Row(Kind.REPEAT, f"TikTok's answer with status {status} has no known form")
    if status == 401:
        return API_ERRORS["access_token_invalid"]
    return Row(Kind.REJECT, f"TikTok refused with status {status}", "Look at the account and the post's settings.")


def _raised(row: Row, word: str, *, log_id: object, now: datetime) -> PlatformError:
    detail = _with_log_id(row.detail, log_id)
    match row.kind:
        case Kind.WAIT_A_MINUTE:
            return RateLimited(word, detail, until=now + timedelta(seconds=RATE_LIMIT_WAIT_SECONDS), per=row.per)
        case Kind.WAIT_A_DAY:
            return RateLimited(word, detail, until=now + timedelta(seconds=DAILY_CAP_WAIT_SECONDS), per=row.per)
        case Kind.REPEAT:
            return Transient(word, detail)
        case Kind.AUTHORISE_AGAIN:
            return ReauthorisationNeeded(word, detail)
        case Kind.REJECT:
            return Rejected(word, detail, advice=row.advice)
        case Kind.OPERATOR:
            return Misconfigured(word, detail)


def _with_log_id(detail: str, log_id: object) -> str:
    """TikTok's support asks for the log id, so it travels with the message."""
    word = safe_code(log_id)
    return detail if word == "unknown" else f"{detail} (log id {word})"
