"""LinkedIn's answers, as far as they are looked at. Fields it adds are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec


class Introspection(msgspec.Struct, frozen=True):
    active: bool
    status: str = ""
    scope: str = ""


class Me(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    localized_first_name: str = ""
    localized_last_name: str = ""
    vanity_name: str = ""


class UserInfo(msgspec.Struct, frozen=True):
    sub: str
    name: str = ""
    picture: str | None = None


class Acl(msgspec.Struct, frozen=True, rename="camel"):
    """A person's role in an organisation; older versions name the organisation otherwise."""

    role: str
    state: str = ""
    organization: str = ""
    organization_target: str = ""

    @property
    def urn(self) -> str:
        return self.organization or self.organization_target


class Acls(msgspec.Struct, frozen=True):
    elements: tuple[Acl, ...] = ()


class Organisation(msgspec.Struct, frozen=True, rename="camel"):
    id: int
    localized_name: str = ""
    vanity_name: str = ""


class Instruction(msgspec.Struct, frozen=True, rename="camel"):
    """One part of a file: where it goes, and its first and last byte, both included."""

    upload_url: str
    first_byte: int
    last_byte: int


class Upload(msgspec.Struct, frozen=True, rename="camel"):
    """A begun upload. Images and documents have one address, videos one for each part. Times in milliseconds."""

    upload_url: str = ""
    upload_url_expires_at: int = 0
    upload_urls_expire_at: int = 0
    upload_instructions: tuple[Instruction, ...] = ()
    upload_token: str = ""
    image: str = ""
    video: str = ""
    document: str = ""

    @property
    def urn(self) -> str:
        return self.image or self.video or self.document

    @property
    def ends_at(self) -> int:
        return self.upload_url_expires_at or self.upload_urls_expire_at


class Begun(msgspec.Struct, frozen=True):
    value: Upload


class Asset(msgspec.Struct, frozen=True):
    status: str = ""


class Post(msgspec.Struct, frozen=True, rename="camel"):
    """A post as it is read back. Times in milliseconds."""

    id: str
    author: str = ""
    commentary: str = ""
    created_at: int = 0
    lifecycle_state: str = ""
    content: Mapping[str, Any] = {}

    @property
    def time(self) -> datetime | None:
        return datetime.fromtimestamp(self.created_at / 1000, UTC) if 0 < self.created_at < 10**14 else None


class Posts(msgspec.Struct, frozen=True):
    elements: tuple[Post, ...] = ()


class PostsById(msgspec.Struct, frozen=True):
    results: Mapping[str, Any] = {}


class Message(msgspec.Struct, frozen=True):
    text: str = ""


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    actor: str = ""
    comment_urn: str = ""
    message: Message = Message()


class Comments(msgspec.Struct, frozen=True):
    elements: tuple[Comment, ...] = ()


class Totals(msgspec.Struct, frozen=True, rename="camel"):
    impression_count: int = 0
    unique_impressions_count: int = 0
    click_count: int = 0
    like_count: int = 0
    comment_count: int = 0
    share_count: int = 0


class Statistic(msgspec.Struct, frozen=True, rename="camel"):
    """The numbers of one post, named by one of two fields."""

    total_share_statistics: Totals = Totals()
    share: str = ""
    ugc_post: str = ""


class Statistics(msgspec.Struct, frozen=True):
    elements: tuple[Statistic, ...] = ()


class Count(msgspec.Struct, frozen=True):
    count: int = 0


class MemberCounts(msgspec.Struct, frozen=True):
    elements: tuple[Count, ...] = ()
