"""Threads' answers, as far as they are looked at. Fields it adds are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern="^[0-9]{1,32}$")]


class ShortToken(msgspec.Struct, frozen=True):
    """What a code is traded for. The id comes as a number or as text, depending on whom one asks."""

    access_token: str
    user_id: int | str


class _Debugged(msgspec.Struct, frozen=True):
    scopes: list[str] = []


class Debugged(msgspec.Struct, frozen=True):
    """What Threads tells about a token."""

    data: _Debugged = _Debugged()


class User(msgspec.Struct, frozen=True):
    id: Id
    username: str = ""
    name: str = ""
    threads_profile_picture_url: str | None = None


class Made(msgspec.Struct, frozen=True):
    """A container, or the post that was made of one."""

    id: Id


class Status(msgspec.Struct, frozen=True):
    """Where a container stands. `error_message` is one word."""

    status: str
    error_message: str | None = None


class _Reference(msgspec.Struct, frozen=True):
    id: str


class Listed(msgspec.Struct, frozen=True):
    """A post in the account's own list."""

    id: Id
    text: str = ""
    timestamp: str = ""
    media_type: str = ""
    replied_to: _Reference | None = None

    @property
    def posted_at(self) -> datetime:
        """A time that cannot be read is none at which anything of ours was posted."""
        try:
            return datetime.fromisoformat(self.timestamp).astimezone(UTC)
        except ValueError:
            return datetime.min.replace(tzinfo=UTC)


class Linked(msgspec.Struct, frozen=True):
    id: Id
    permalink: str | None = None


class _Config(msgspec.Struct, frozen=True):
    quota_total: int | None = None


class Quota(msgspec.Struct, frozen=True):
    """What of a day's posts and replies is used up."""

    quota_usage: int = 0
    config: _Config = _Config()
    reply_quota_usage: int = 0
    reply_config: _Config = _Config()


class Quotas(msgspec.Struct, frozen=True):
    data: list[Quota] = []


class _Value(msgspec.Struct, frozen=True):
    value: Any = None


class Metric(msgspec.Struct, frozen=True):
    """One number of a post, in the list that also has room for series."""

    name: str
    values: list[_Value] = []
    total_value: _Value | None = None

    @property
    def number(self) -> int | None:
        told = self.total_value or (self.values[0] if self.values else _Value())
        return told.value if isinstance(told.value, int) else None


class Metrics(msgspec.Struct, frozen=True):
    data: list[Metric] = []
