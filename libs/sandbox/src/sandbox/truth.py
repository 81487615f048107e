"""What truly happened at the imitated platforms, whatever the callers were told about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from kit.clock import Clock


@dataclass(frozen=True)
class PostedMedia:
    """One file as the platform received it."""

    sha256: str
    size_bytes: int
    content_type: str
    alt_text: str = ""


@dataclass
class Post:
    """One post. It exists from `posted_at` on, which lies ahead while a platform still processes it."""

    platform: str
    account_id: str
    post_id: str
    text: str
    media: tuple[PostedMedia, ...]
    settings: Mapping[str, Any]
    posted_at: datetime
    writes: int = 1
    """How often the post was written; more than once means a caller repeated itself."""
    removed: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"posted_at": self.posted_at.isoformat()}


@dataclass(frozen=True)
class Revocation:
    """A token ended at a caller's wish. The token itself is not kept."""

    platform: str
    account_id: str
    client_id: str
    at: datetime

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat()}


@dataclass
class Truth:
    """The record that tests compare with; shared by all platforms of one sandbox."""

    clock: Clock
    _posts: list[Post] = field(default_factory=list)
    _revocations: list[Revocation] = field(default_factory=list)

    def posts(self, platform: str | None = None, account_id: str | None = None) -> list[Post]:
        """Everything that is public by now, oldest first."""
        now = self.clock.now()
        return [
            post
            for post in sorted(self._posts, key=lambda post: post.posted_at)
            if post.posted_at <= now
            and not post.removed
            and platform in (None, post.platform)
            and account_id in (None, post.account_id)
        ]

    def count(self) -> int:
        """How many posts were ever made, without a look at them."""
        return len(self._posts)

    def revocations(self, platform: str | None = None) -> Sequence[Revocation]:
        return [entry for entry in self._revocations if platform in (None, entry.platform)]

    def add(self, post: Post) -> None:
        self._posts.append(post)

    def revoked(self, platform: str, *, account_id: str, client_id: str) -> None:
        self._revocations.append(Revocation(platform, account_id, client_id, self.clock.now()))
