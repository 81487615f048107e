"""What YouTube makes of a video it has taken: why it failed or was rejected, and what that means for us."""

from __future__ import annotations

from collections.abc import Mapping

from platforms.shape import Refused
from platforms.wire import safe_code
from platforms.youtube.answers import Video

_EXPORT = "Export the video as MP4 (H.264, AAC) and upload it again."
_STUDIO = "Look at the video in YouTube Studio."
_LENGTH = "Verify the channel's telephone number for videos of more than 15 minutes, or cut the video."

FAILURES: Mapping[str, Refused] = {
    row.code: row
    for row in (
        Refused("conversion", "YouTube cannot convert the video", _EXPORT),
        Refused("invalidFile", "YouTube cannot read the file", _EXPORT),
        Refused("emptyFile", "the file YouTube got is empty", _EXPORT),
        Refused("tooSmall", "the file is too small to be a video", _EXPORT),
        Refused("codec", "YouTube does not know the video's codec", _EXPORT),
        Refused("uploadAborted", "the upload did not come to its end", "Try again.", repeatable=True),
    )
}
"""By `status.failureReason`."""

PROCESSING_FAILURES: Mapping[str, Refused] = {
    row.code: row
    for row in (
        Refused("uploadFailed", "YouTube lost the upload", "Try again.", repeatable=True),
        Refused("transcodeFailed", "YouTube cannot convert the video", _EXPORT),
        Refused("streamingFailed", "YouTube cannot prepare the video for watching", "Try again.", repeatable=True),
        Refused("other", "YouTube failed while processing the video", "Try again.", repeatable=True),
    )
}
"""By `processingDetails.processingFailureReason`."""

REJECTIONS: Mapping[str, Refused] = {
    row.code: row
    for row in (
        Refused("copyright", "YouTube holds the video for a breach of copyright", _STUDIO),
        Refused("inappropriate", "YouTube holds the video for inappropriate", "Read YouTube's community guidelines."),
        Refused("duplicate", "the channel has this video already", "Change the video, or show the earlier one."),
        Refused("termsOfUse", "YouTube holds the video for a breach of its terms", _STUDIO),
        Refused("uploaderAccountSuspended", "the channel is suspended", "Look at the channel in YouTube Studio."),
        Refused("length", "the video is longer than the channel may post", _LENGTH),
        Refused("claim", "somebody claims rights in the video", _STUDIO),
        Refused("uploaderAccountClosed", "the channel is closed", "Look at the channel in YouTube Studio."),
        Refused("trademark", "YouTube holds the video for a breach of a trademark", _STUDIO),
        Refused("legal", "YouTube withholds the video for a legal reason", _STUDIO),
    )
}
"""By `status.rejectionReason`."""

GONE = Refused("videoNotFound", "the video is no longer there", "Schedule it anew if it is wanted.")


def refusal(video: Video) -> Refused | None:
    """Why the video will not be shown, or None if nothing speaks against it so far.

    A reason YouTube adds later is final until a person has looked.
    """
    status, processing = video.status, video.processing_details
    match status.upload_status:
        case "deleted":
            return GONE
        case "rejected":
            return _row(REJECTIONS, status.rejection_reason, "YouTube rejected the video")
        case "failed":
            if status.failure_reason is None and processing.processing_failure_reason is not None:
                return _row(PROCESSING_FAILURES, processing.processing_failure_reason, "the processing failed")
            return _row(FAILURES, status.failure_reason, "YouTube could not take the video")
    if processing.processing_status in ("failed", "terminated"):
        return _row(PROCESSING_FAILURES, processing.processing_failure_reason, "the processing failed")
    return None


def is_processed(video: Video) -> bool:
    return video.status.upload_status == "processed"


def _row(table: Mapping[str, Refused], reason: str | None, detail: str) -> Refused:
    word = safe_code(reason)
    return table.get(word) or Refused(word, detail, _STUDIO)
