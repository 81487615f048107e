"""What truly happened at the imitated platforms, whatever the callers were told about it."""

from __future__ import annotations

import bisect
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
    _posts: dict[tuple[str, str], list[Post]] = field(default_factory=dict)
    """By platform and account, oldest first: a platform looks at one account whenever it takes a post."""
    _by_id: dict[tuple[str, str], Post] = field(default_factory=dict)
    _revocations: list[Revocation] = field(default_factory=list)

    def posts(self, platform: str | None = None, account_id: str | None = None) -> list[Post]:
        """Everything that is public by now, oldest first."""
        now = self.clock.now()
        if platform is not None and account_id is not None:
            kept = self._posts.get((platform, account_id), [])
        else:
            kept = sorted(
                (
                    post
                    for (at, by), posts in self._posts.items()
                    if platform in (None, at) and account_id in (None, by)
                    for post in posts
                ),
                key=_posted_at,
            )
        return [post for post in kept if post.posted_at <= now and not post.removed]

    def find(self, platform: str, post_id: str) -> Post | None:
        """One post, if it is public by now."""
        post = self._by_id.get((platform, post_id))
        return post if post is not None and post.posted_at <= self.clock.now() and not post.removed else None

    def count(self) -> int:
        """How many posts were ever made, without a look at them."""
        return len(self._by_id)

    def revocations(self, platform: str | None = None) -> Sequence[Revocation]:
        return [entry for entry in self._revocations if platform in (None, entry.platform)]

    def add(self, post: Post) -> None:
        bisect.insort(self._posts.setdefault((post.platform, post.account_id), []), post, key=_posted_at)
        self._by_id[post.platform, post.post_id] = post

    def revoked(self, platform: str, *, account_id: str, client_id: str) -> None:
        self._revocations.append(Revocation(platform, account_id, client_id, self.clock.now()))


def _posted_at(post: Post) -> datetime:
    return post.posted_at
