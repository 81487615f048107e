"""Threads' own errors beside those of all Meta products (`platforms.meta.errors`), and its words for broken media."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from platforms.errors import PlatformError, Rejected, Transient
from platforms.meta.errors import ERRORS, Kind, Row, Table, graph_error, row_for
from platforms.shape import Refused
from platforms.wire import Answer, safe_code

UNSEEN = "24.4279009"
"""The publishing call does not know the container (yet)."""

GONE = frozenset({"24", UNSEEN, "100.33"})
"""How a post that is not there (any more) is told, where one is read."""

_NOT_FETCHED = Row(Kind.REPEAT, "Threads could not fetch the file from its address")
_RESTRICTED = "Threads restricts what the account may do"

THREADS_ERRORS: Table = {
    **ERRORS,
    (24, None): Row(Kind.REJECT, "what was asked for is not there", "Look at the account, then schedule anew."),
    (24, 4279009): Row(Kind.REPEAT, "Threads does not know the prepared post yet"),
    (None, 4279013): Row(
        Kind.REJECT, _RESTRICTED, "Open Threads, look at the account's status, and lift what restricts it."
    ),
    (None, 2207051): Row(
        Kind.LOOK,
        _RESTRICTED,
        "Look at the account in Threads; wait before it is tried again, repeating makes it worse.",
    ),
    (9004, None): _NOT_FETCHED,
    (None, 2207052): _NOT_FETCHED,
}

WORDS: Mapping[str, Row] = {
    "THREADS_API__LINK_LIMIT_EXCEEDED": Row(
        Kind.REJECT, "the post has more than five different links", "Remove some of its links."
    ),
    "THREADS_API__FEATURE_NOT_AVAILABLE": Row(
        Kind.REJECT, "the account may not use a feature of this post", "Choose other settings."
    ),
    "THREADS_API__GEO_GATING_INVALID_COUNTRY_CODES": Row(
        Kind.REJECT, "a country of the post is not known", "Choose other countries."
    ),
    "must be at most 500 characters": Row(
        Kind.REJECT, "the text is too long", "Shorten it to 500 characters; emojis count several."
    ),
    "can't be blank": Row(Kind.REJECT, "the text is missing", "Write a text, or add an image or video."),
}
"""What is told only by a word in the message, under a code that means other things too."""

_EXPORT = "Export the video as MP4 (H.264, AAC, 23 to 60 frames a second, up to five minutes) and upload it again."

MEDIA_WORDS: Mapping[str, Row] = {
    "FAILED_DOWNLOADING_VIDEO": _NOT_FETCHED,
    "FAILED_PROCESSING_AUDIO": Row(Kind.REJECT, "Threads cannot use the video's sound", _EXPORT),
    "FAILED_PROCESSING_VIDEO": Row(Kind.REJECT, "Threads cannot use the video", _EXPORT),
    # Threads' own spelling; should it ever be mended, both are known.
    "INVALID_ASPEC_RATIO": Row(Kind.REJECT, "the ratio of width to height is not taken", "Cut it to 9:16 or 1:1."),
    "INVALID_ASPECT_RATIO": Row(Kind.REJECT, "the ratio of width to height is not taken", "Cut it to 9:16 or 1:1."),
    "INVALID_BIT_RATE": Row(Kind.REJECT, "the video's bit rate is too high", _EXPORT),
    "INVALID_DURATION": Row(Kind.REJECT, "the video is too long or too short", "Cut it to at most five minutes."),
    "INVALID_FRAME_RATE": Row(Kind.REJECT, "the video's frame rate is not taken", _EXPORT),
    "INVALID_AUDIO_CHANNELS": Row(Kind.REJECT, "the video's sound has too many channels", _EXPORT),
    "INVALID_AUDIO_CHANNEL_LAYOUT": Row(Kind.REJECT, "the arrangement of the sound's channels is not taken", _EXPORT),
    "UNKNOWN": Row(Kind.REPEAT, "Threads could not process the file and does not say why"),
}
"""A container's `error_message`."""


def threads_error(answer: Answer, *, now: datetime, visible: bool = False) -> PlatformError:
    """The error behind an answer; words are looked for only where the code alone means little."""
    error = answer.json().get("error")
    if isinstance(error, dict):
        said = " ".join(str(error.get(name, "")) for name in ("message", "error_user_title", "error_user_msg"))
        for word, row in WORDS.items():
            if word in said:
                code = word if word.isupper() else str(error.get("code"))
                return Rejected(safe_code(code), row.detail, advice=row.advice)
    return graph_error(answer, THREADS_ERRORS, now=now, visible=visible)


def media_error(word: str | None) -> PlatformError:
    """Why a container came to nothing."""
    row = MEDIA_WORDS.get(word or "", MEDIA_WORDS["UNKNOWN"])
    code = safe_code(word)
    if row.kind is Kind.REPEAT:
        return Transient(code, row.detail)
    return Rejected(code, row.detail, advice=row.advice)


def proven_refusal(code: str) -> Refused | None:
    """What a doubtful refusal means once it is proved that nothing was posted; None if it was no refusal."""
    first, _, second = code.partition(".")
    numbers = [int(each) if each.isdigit() else None for each in (first, second)]
    row = row_for(numbers[0], numbers[1], THREADS_ERRORS)
    if row is None or row.kind is not Kind.LOOK:
        return None
    return Refused(code, row.detail, row.advice)
