"""The parts of Pinterest's answers that we read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec


class Account(msgspec.Struct):
    id: str
    username: str = ""
    account_type: str | None = None
    profile_image: str | None = None
    business_name: str | None = None


class Upload(msgspec.Struct):
    media_id: str
    upload_url: str
    upload_parameters: dict[str, str]


class MediaStatus(msgspec.Struct):
    status: str


class Pin(msgspec.Struct):
    """A pin as it is listed. `created_at` has no zone and is UTC, to the second."""

    id: str
    created_at: str = ""
    title: str | None = None
    description: str | None = None
    link: str | None = None
    board_id: str | None = None
    alt_text: str | None = None

    @property
    def time(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.created_at).replace(tzinfo=UTC)
        except ValueError:
            return None


class Pins(msgspec.Struct):
    items: tuple[Pin, ...] = ()
    bookmark: str | None = None


class Metrics(msgspec.Struct):
    lifetime_metrics: Mapping[str, float] = {}
    summary_metrics: Mapping[str, float] = {}


class Analytics(msgspec.Struct):
    all: Metrics = msgspec.field(default_factory=Metrics)
