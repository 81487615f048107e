"""Google's answers, as far as they are looked at. Fields it adds are ignored; 64-bit numbers come as text."""

from __future__ import annotations

import msgspec


class Base(msgspec.Struct, frozen=True, rename="camel"):
    """Google writes its fields in camel case."""


class Picture(Base, frozen=True):
    url: str | None = None


class ChannelSnippet(Base, frozen=True):
    title: str = ""
    custom_url: str | None = None
    thumbnails: dict[str, Picture] = {}


class RelatedPlaylists(Base, frozen=True):
    uploads: str | None = None


class ChannelContent(Base, frozen=True):
    related_playlists: RelatedPlaylists = RelatedPlaylists()


class ChannelStatus(Base, frozen=True):
    long_uploads_status: str | None = None


class Channel(Base, frozen=True):
    id: str
    snippet: ChannelSnippet = ChannelSnippet()
    content_details: ChannelContent = ChannelContent()
    status: ChannelStatus = ChannelStatus()


class Channels(Base, frozen=True):
    """`items` is missing where the account has no channel."""

    items: list[Channel] = []
    next_page_token: str | None = None


class VideoSnippet(Base, frozen=True):
    title: str = ""
    description: str = ""
    published_at: str | None = None


class VideoStatus(Base, frozen=True):
    upload_status: str | None = None
    privacy_status: str | None = None
    failure_reason: str | None = None
    rejection_reason: str | None = None


class ProcessingDetails(Base, frozen=True):
    processing_status: str | None = None
    processing_failure_reason: str | None = None


class FileDetails(Base, frozen=True):
    file_size: int | None = None


class VideoStatistics(Base, frozen=True):
    """Any may be missing: likes hidden, comments off."""

    view_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None


class Video(Base, frozen=True):
    id: str
    snippet: VideoSnippet = VideoSnippet()
    status: VideoStatus = VideoStatus()
    processing_details: ProcessingDetails = ProcessingDetails()
    file_details: FileDetails = FileDetails()
    statistics: VideoStatistics = VideoStatistics()


class Videos(Base, frozen=True):
    items: list[Video] = []


class ItemContent(Base, frozen=True):
    video_id: str | None = None


class ItemStatus(Base, frozen=True):
    privacy_status: str | None = None


class PlaylistItem(Base, frozen=True):
    id: str | None = None
    snippet: VideoSnippet = VideoSnippet()
    content_details: ItemContent = ItemContent()
    status: ItemStatus = ItemStatus()


class PlaylistItems(Base, frozen=True):
    items: list[PlaylistItem] = []


class AuthorChannel(Base, frozen=True):
    value: str | None = None


class CommentSnippet(Base, frozen=True):
    text_original: str = ""
    author_channel_id: AuthorChannel = AuthorChannel()


class Comment(Base, frozen=True):
    id: str | None = None
    snippet: CommentSnippet = CommentSnippet()


class ThreadSnippet(Base, frozen=True):
    top_level_comment: Comment = Comment()


class CommentThread(Base, frozen=True):
    id: str | None = None
    snippet: ThreadSnippet = ThreadSnippet()


class CommentThreads(Base, frozen=True):
    items: list[CommentThread] = []


class Column(Base, frozen=True):
    name: str


class Report(Base, frozen=True):
    """A table of the Analytics API. Without data `rows` is missing or empty."""

    column_headers: list[Column] = []
    rows: list[list[str | int | float]] = []


class PlaylistSnippet(Base, frozen=True):
    channel_id: str | None = None


class Playlist(Base, frozen=True):
    id: str
    snippet: PlaylistSnippet = PlaylistSnippet()


class Playlists(Base, frozen=True):
    items: list[Playlist] = []
