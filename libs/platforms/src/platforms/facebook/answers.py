"""Facebook's answers, as far as they are looked at. Fields it adds are ignored."""

from __future__ import annotations

from typing import Any

import msgspec


class Named(msgspec.Struct, frozen=True):
    id: str
    name: str = ""


class _PictureData(msgspec.Struct, frozen=True):
    url: str | None = None


class Picture(msgspec.Struct, frozen=True):
    data: _PictureData = _PictureData()


class Page(msgspec.Struct, frozen=True):
    """A Page, with the token to act for it where the person may."""

    id: str
    name: str = ""
    username: str | None = None
    category: str | None = None
    access_token: str | None = None
    tasks: list[str] | None = None
    picture: Picture = Picture()

    @property
    def may_post(self) -> bool:
        """Pages of businesses come without tasks in some lists; what is missing there shows when it is posted."""
        return self.access_token is not None and (self.tasks is None or "CREATE_CONTENT" in self.tasks)


class Permission(msgspec.Struct, frozen=True):
    permission: str
    status: str


class Permissions(msgspec.Struct, frozen=True):
    data: list[Permission] = []


class Made(msgspec.Struct, frozen=True):
    """A photo or comment."""

    id: str


class Posted(msgspec.Struct, frozen=True):
    id: str
    permalink_url: str | None = None


class StoryPosted(msgspec.Struct, frozen=True):
    success: bool
    post_id: str | None = None


class ChunkedStart(msgspec.Struct, frozen=True):
    """Offsets are numbers that come as text."""

    upload_session_id: str
    video_id: str
    start_offset: int
    end_offset: int


class Offsets(msgspec.Struct, frozen=True):
    start_offset: int
    end_offset: int


class UploadStart(msgspec.Struct, frozen=True):
    video_id: str
    upload_url: str


class PhaseError(msgspec.Struct, frozen=True):
    code: int | None = None
    message: str = ""


class Phase(msgspec.Struct, frozen=True):
    """`bytes_transfered` is Facebook's spelling."""

    status: str = "not_started"
    bytes_transfered: int | None = None
    publish_status: str | None = None
    errors: list[PhaseError] = []
    error: PhaseError | None = None

    @property
    def done(self) -> bool:
        return self.status in ("complete", "completed")

    @property
    def failed(self) -> bool:
        return self.status == "error" or bool(self.errors)


class VideoStatus(msgspec.Struct, frozen=True):
    video_status: str = "uploading"
    uploading_phase: Phase = Phase()
    processing_phase: Phase = Phase()
    publishing_phase: Phase = Phase()


class Video(msgspec.Struct, frozen=True):
    id: str
    status: VideoStatus = VideoStatus()
    post_id: str | None = None
    permalink_url: str | None = None
    published: bool | None = None


class _Target(msgspec.Struct, frozen=True):
    id: str | None = None
    url: str | None = None


class _Attachment(msgspec.Struct, frozen=True):
    media_type: str | None = None
    target: _Target = _Target()
    subattachments: _Attachments | None = None


class _Attachments(msgspec.Struct, frozen=True):
    data: list[_Attachment] = []


class Listed(msgspec.Struct, frozen=True):
    """A post in a Page's list."""

    id: str
    message: str = ""
    created_time: str = ""
    permalink_url: str | None = None
    attachments: _Attachments = _Attachments()

    def targets(self) -> set[str]:
        """The ids of everything attached."""
        found: set[str] = set()
        waiting = list(self.attachments.data)
        while waiting:
            item = waiting.pop()
            if item.target.id:
                found.add(item.target.id)
            waiting += item.subattachments.data if item.subattachments else []
        return found


class Story(msgspec.Struct, frozen=True):
    post_id: str | None = None
    media_id: str | None = None
    url: str | None = None
    status: str | None = None


class Comment(msgspec.Struct, frozen=True, rename={"author": "from"}):
    id: str
    message: str = ""
    author: Named | None = None


class _Count(msgspec.Struct, frozen=True):
    count: int = 0


class _Summary(msgspec.Struct, frozen=True):
    total_count: int | None = None


class _Summed(msgspec.Struct, frozen=True):
    summary: _Summary = _Summary()


class _Value(msgspec.Struct, frozen=True):
    value: Any = None


class Metric(msgspec.Struct, frozen=True):
    name: str
    values: list[_Value] = []

    def number(self) -> float | None:
        """The one lifetime value; a table of values is summed."""
        value = self.values[0].value if self.values else None
        if isinstance(value, dict):
            return sum(each for each in value.values() if isinstance(each, int | float))
        return value if isinstance(value, int | float) else None


class Metrics(msgspec.Struct, frozen=True):
    data: list[Metric] = []


class Engagement(msgspec.Struct, frozen=True):
    """`shares` is missing while there are none."""

    id: str
    shares: _Count = _Count()
    comments: _Summed = _Summed()
    reactions: _Summed = _Summed()
