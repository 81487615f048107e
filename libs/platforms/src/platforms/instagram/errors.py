"""Instagram's own error codes beside those of all Meta products (`platforms.meta.errors`).

The subcode alone names an error: the same one comes in an answer and in the words of a container that failed.
"""

from __future__ import annotations

from platforms.errors import PlatformError, Rejected, Transient
from platforms.instagram.answers import Container
from platforms.instagram.limits import QUOTA_WAIT_SECONDS
from platforms.meta.errors import ERRORS, Kind, Row, Table, row_for

SPAM = "4.2207051"
"""Documented as a refusal, and yet posts have been seen live that were answered with it."""

GONE = frozenset({"100.33", "24.2207006"})
"""What is asked about is not there, or not for this token to see."""

NO_VIEWERS = "10"
"""Insights of what fewer than five people saw; elsewhere a missing permission."""

_BAD_IMAGE = "Export the image as JPEG and upload it again."
_BAD_VIDEO = "Export the video as MP4 (H.264, AAC) and upload it again."
_TAGS = "Check the tagged people, their places in the images and the products."
_FETCH = "Instagram could not fetch a file of the post"

_OWN: Table = {
    (-2, 2207003): Row(Kind.UNCLEAR, "Instagram took too long to fetch a file of the post"),
    (-2, 2207020): Row(Kind.REPEAT, "what was prepared has expired"),
    (-1, 2207001): Row(Kind.UNCLEAR, "Instagram had an error of its own"),
    (-1, 2207032): Row(Kind.UNCLEAR, "Instagram could not prepare the post"),
    (-1, 2207053): Row(Kind.UNCLEAR, "the upload failed for an unknown reason"),
    (1, 2207057): Row(Kind.REJECT, "the cover frame lies outside the video", "Choose another cover frame."),
    (4, 2207051): Row(
        Kind.LOOK,
        "Instagram takes this for spam and holds the account back",
        "Look at the account, and wait; repeating it makes things worse.",
    ),
    (9, 2207042): Row(Kind.WAIT, "the account has reached its posts for 24 hours", wait_seconds=QUOTA_WAIT_SECONDS),
    (24, 2207006): Row(
        Kind.LOOK, "what was prepared is not there", "Look at the account, then schedule anew if needed."
    ),
    (24, 2207008): Row(Kind.REPEAT, "what was prepared has expired, or is not ready for a moment"),
    (25, 2207050): Row(
        Kind.REJECT, "the account is restricted or inactive", "Log in to Instagram's app and do what it asks for."
    ),
    (100, 2207023): Row(Kind.REJECT, "the kind of post is unknown to Instagram", "Change how it is posted."),
    (100, 2207028): Row(Kind.REJECT, "a carousel takes 2 to 10 items", "Change the number of images and videos."),
    **{(100, subcode): Row(Kind.REJECT, "a tag was refused", _TAGS) for subcode in (2207035, 2207036, 2207037)},
    (100, 2207040): Row(Kind.REJECT, "there are too many tags", _TAGS),
    (352, 2207026): Row(Kind.REJECT, "Instagram cannot use the video", _BAD_VIDEO),
    (9004, 2207052): Row(Kind.REPEAT, _FETCH),
    (9007, 2207027): Row(Kind.REPEAT, "the post is not ready to be published"),
    (36000, 2207004): Row(Kind.REJECT, "the image is larger than 8 MB", _BAD_IMAGE),
    (36001, 2207005): Row(Kind.REJECT, "the image has a format that Instagram does not take", _BAD_IMAGE),
    (36003, 2207009): Row(
        Kind.REJECT, "the image is too tall or too wide", "Crop it to something between 4:5 and 1.91:1."
    ),
    (36004, 2207010): Row(
        Kind.REJECT, "the caption is too long or has too many hashtags or mentions", "Shorten the caption."
    ),
}

_SEEN_WHILE_PROCESSING: Table = {
    (None, 2207076): Row(Kind.REJECT, "Instagram could not process the video", _BAD_VIDEO),
    (None, 2207077): Row(Kind.REPEAT, _FETCH),
    (None, 2207081): Row(Kind.REJECT, "the account may not post trial reels", "Post it as a usual reel."),
    (None, 2207082): Row(Kind.REPEAT, "the upload failed"),
}
"""Not documented, only met by other clients."""

INSTAGRAM_ERRORS: Table = {
    **ERRORS,
    **_OWN,
    **_SEEN_WHILE_PROCESSING,
    **{(None, subcode): row for (_, subcode), row in _OWN.items()},
    # A subcode may be missing where the code alone says enough.
    **{(code, None): row for (code, _), row in _OWN.items() if code not in (-2, -1, 1, 4, 24, 100)},
    **{(code, None): Row(Kind.UNCLEAR, "Instagram had an error of its own") for code in (-2, -1)},
    (24, None): _OWN[24, 2207006],
}


def failure_of(container: Container) -> PlatformError:
    """Why a container came to nothing; nothing has been shown of it."""
    subcode = container.subcode
    row = row_for(None, subcode, INSTAGRAM_ERRORS) if subcode else None
    word = "unknown" if subcode is None else str(subcode)
    if row is None:
        advice = "Look at the files of the post, then schedule it anew."
        return Rejected(word, "Instagram could not process the post", advice=advice)
    if row.kind in (Kind.REJECT, Kind.LOOK):
        return Rejected(word, row.detail, advice=row.advice)
    return Transient(word, row.detail)
