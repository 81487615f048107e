"""TikTok's answers, as far as they are looked at. Fields it adds are ignored."""

from __future__ import annotations

import msgspec

from platforms import tokens


class Tokens(tokens.Tokens, frozen=True, kw_only=True):
    """TikTok names the account with them."""

    open_id: str
    refresh_token_expires_in: int | None = msgspec.field(name="refresh_expires_in", default=None)


class User(msgspec.Struct, frozen=True):
    open_id: str | None = None
    union_id: str | None = None
    avatar_url: str | None = None
    display_name: str | None = None
    username: str | None = None


class UserInfo(msgspec.Struct, frozen=True):
    user: User


class Creator(msgspec.Struct, frozen=True):
    """What the account may do at this minute."""

    privacy_level_options: list[str]
    creator_username: str | None = None
    max_video_post_duration_sec: float | None = None


class Started(msgspec.Struct, frozen=True):
    publish_id: str


class UploadStarted(Started, frozen=True):
    upload_url: str


class Status(msgspec.Struct, frozen=True):
    """The misspelt name is TikTok's. The id is a 64-bit number, in some answers text."""

    status: str
    fail_reason: str | None = None
    uploaded_bytes: int | None = None
    downloaded_bytes: int | None = None
    publicaly_available_post_id: list[int | str] | int | str | None = None

    def post_id(self) -> str | None:
        ids = self.publicaly_available_post_id
        first = (ids[0] if ids else None) if isinstance(ids, list) else ids
        return str(first) if first else None


class Video(msgspec.Struct, frozen=True):
    id: str
    view_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None


class Listed(msgspec.Struct, frozen=True):
    """A post in the account's list; its words are cut after 150 characters. Seconds since 1970."""

    id: str
    create_time: int
    title: str = ""
    video_description: str = ""
    share_url: str | None = None


class Listing(msgspec.Struct, frozen=True):
    videos: list[Listed] = []


class Videos(msgspec.Struct, frozen=True):
    videos: list[Video] = []
