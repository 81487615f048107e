"""Taking a published post off its platform: whether a program may, and where a person does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from platforms.shape import NotThere, Receipt, Removed

PERMISSION_MISSING = "removal_not_permitted"
NO_CALL = "removal_not_offered"


@dataclass(frozen=True)
class Removal:
    """What holds at one platform. `by_hand` says where a person removes a post by themself.

    `offered` is false where the platform has no call for it that our kind of access may use. `also_needs` are the
    scopes that it takes besides those of publishing.
    """

    url: str
    by_hand: str
    offered: bool = True
    also_needs: frozenset[str] = field(default_factory=frozenset)

    @property
    def advice(self) -> str:
        return f"Remove it there yourself: {self.by_hand} ({self.url})"


def parts_of(receipt: Receipt) -> list[str | None]:
    """The ids of every post of a thread, as its receipt names them, the last first; None where one was never told.

    Where it names none, the post itself is all there is.
    """
    posts = receipt.evidence.get("posts")
    if not isinstance(posts, dict) or not posts:
        return [receipt.post_id]
    return [posts[index] for index in sorted(posts, key=int, reverse=True)]


async def remove_each(parts: Sequence[str], remove: Callable[[str], Awaitable[bool]]) -> Removed | NotThere:
    """Remove one after the other; `remove` says whether the part was there. What is done already does no harm twice."""
    there: dict[bool, list[str]] = {True: [], False: []}
    for part in parts:
        there[await remove(part)].append(part)
    evidence: dict[str, Any] = {"removed": there[True], "not_there": there[False]}
    return Removed(evidence) if there[True] else NotThere(evidence)
