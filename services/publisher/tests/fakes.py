"""A platform that keeps the truth about its posts and misbehaves as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from kit.secret import Secret
from platforms.limits import Limits, RateLimit, TextLimit, TextUnit
from platforms.removal import Removal
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Media,
    NotThere,
    Outcome,
    PlatformName,
    Published,
    Receipt,
    Removed,
    Violation,
)

UPLOAD_URL = "https://upload.example/?upload_token=worth-as-much-as-a-token"

Fault = Callable[[], Awaitable[Any]]


async def hang() -> None:
    await asyncio.Event().wait()


def raising(error: BaseException) -> Fault:
    async def fault() -> None:
        raise error

    return fault


def answering(outcome: Any) -> Fault:
    async def fault() -> Any:
        return outcome

    return fault


def with_rates(*rates: RateLimit) -> Limits:
    """The limits of a platform that has these rates, and hardly any others."""
    return Limits(None, None, TextLimit(300, TextUnit.CODE_POINTS), media=(), rates=rates)


class FakePlatform:
    """Satisfies `platforms.platform.Platform` as far as publishing and removing go.

    `before[step]` and `after[step]` are faults that hit the next calls of a step, before or after its effect:
    each is awaited, and what it returns (if anything) is the answer.
    """

    secret_facts: tuple[str, ...] = ("upload_url",)
    name = PlatformName.BLUESKY
    scopes: tuple[str, ...] = ()
    insights_batch_max = 1
    removal = Removal("https://social.example/posts", "Choose the post, then Delete.")

    def __init__(self) -> None:
        self.posts: list[tuple[UUID, str]] = []
        self.calls: Counter[str] = Counter()
        self.uploads = 0
        self.before: dict[str, list[Fault]] = defaultdict(list)
        self.after: dict[str, list[Fault]] = defaultdict(list)
        self.tokens: list[str] = []
        self.limits = with_rates()
        self.broken: list[Violation] = []

    def posted(self, publication_id: UUID | str) -> int:
        return sum(1 for found, _ in self.posts if str(found) == str(publication_id))

    def check(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
        return self.broken

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        await self._hit("stage", self.before, call)
        if "uploaded" not in journal.facts:
            self.uploads += 1
            await journal.record(uploaded=True, upload_url=UPLOAD_URL)
        assert journal.facts["upload_url"] == Secret(UPLOAD_URL)
        await self._hit("stage", self.after)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        answer: Outcome | None = await self._hit("publish", self.before, call)
        if answer is not None:
            return answer
        self.posts.append((delivery.publication_id, delivery.text))
        return await self._hit("publish", self.after) or self._receipt(delivery)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._hit("status", self.before, call) or self._receipt(delivery)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        answer: Finding | None = await self._hit("reconcile", self.before, call)
        if answer is not None:
            return answer
        if self.posted(delivery.publication_id):
            return self._receipt(delivery)
        return Absent({"looked": "everywhere"})

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        await self._hit("remove", self.before, call)
        left = [post for post in self.posts if f"post-{post[0]}" != receipt.post_id]
        there, self.posts = len(left) < len(self.posts), left
        await self._hit("remove", self.after)
        return Removed({"removed": [receipt.post_id]}) if there else NotThere({"not_there": [receipt.post_id]})

    async def _hit(self, step: str, faults: Mapping[str, list[Fault]], call: Call | None = None) -> Any:
        if call is not None:
            self.calls[step] += 1
            self.tokens.append(call.grant.access_token.reveal())
        return await faults[step].pop(0)() if faults[step] else None

    @staticmethod
    def _receipt(delivery: Delivery) -> Published:
        post_id = f"post-{delivery.publication_id}"
        return Published(Receipt(post_id, f"https://social.example/{post_id}", {"cid": "abc"}))
