"""Instagram's answers, as far as they are looked at. Fields it adds are ignored."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec


class ShortLived(msgspec.Struct, frozen=True):
    """The first token. Permissions are documented as text and have been seen as a list."""

    access_token: str
    permissions: str | list[str] = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        return scopes_in(self.permissions)


class LongLived(msgspec.Struct, frozen=True):
    """`expires_in` in seconds. Only the answer to a renewal names permissions."""

    access_token: str
    expires_in: int | None = None
    permissions: str | list[str] = ""


class Me(msgspec.Struct, frozen=True):
    """`user_id` is the account, `id` the person as this application knows them: callbacks about them say that one."""

    user_id: str | int
    id: str | int = ""
    username: str = ""
    name: str | None = None
    account_type: str | None = None
    profile_picture_url: str | None = None


class Made(msgspec.Struct, frozen=True):
    """A container, a post or a comment."""

    id: str


class Container(msgspec.Struct, frozen=True):
    """`status` is a sentence that holds the error's number."""

    status_code: str = ""
    status: str = ""

    @property
    def subcode(self) -> int | None:
        found = re.search(r"\b2207\d{3}\b", self.status)
        return int(found[0]) if found else None


class Medium(msgspec.Struct, frozen=True):
    """A post. What is empty is left out."""

    id: str
    caption: str = ""
    timestamp: str = ""
    permalink: str | None = None
    media_product_type: str = ""
    media_type: str = ""
    like_count: int | None = None
    comments_count: int | None = None

    @property
    def posted_at(self) -> datetime | None:
        return moment_of(self.timestamp)


class Comment(msgspec.Struct, frozen=True):
    id: str
    text: str = ""
    timestamp: str = ""


class QuotaConfig(msgspec.Struct, frozen=True):
    quota_total: int | None = None


class Quota(msgspec.Struct, frozen=True):
    quota_usage: int = 0
    config: QuotaConfig = QuotaConfig()


class Quotas(msgspec.Struct, frozen=True):
    data: list[Quota] = []


class Value(msgspec.Struct, frozen=True):
    value: float | None = None


class Metric(msgspec.Struct, frozen=True):
    """A number of a post; some come as a list of one, some as a total."""

    name: str
    values: list[Value] = []
    total_value: Value = Value()

    @property
    def number(self) -> float | None:
        return self.values[0].value if self.values else self.total_value.value


class Metrics(msgspec.Struct, frozen=True):
    data: list[Metric] = []


def scopes_in(permissions: str | list[str]) -> tuple[str, ...]:
    words = permissions if isinstance(permissions, list) else permissions.split(",")
    return tuple(word.strip() for word in words if word.strip())


def moment_of(text: str) -> datetime | None:
    """Meta's times have an offset without a colon."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
