"""A platform built of parts, each of which knows one side of it. Every folder ends in one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx
import msgspec
from kit.clock import Clock
from kit.secret import Secret

from platforms.counting import COUNTERS
from platforms.errors import Rejected
from platforms.limits import ContentKind, Limits
from platforms.removal import NO_CALL, PERMISSION_MISSING, Removal
from platforms.settings import schema_of
from platforms.shape import (
    Authorisation,
    Call,
    ClientCredentials,
    Counts,
    Delivery,
    Finding,
    Grant,
    Journal,
    Media,
    Notice,
    NotThere,
    Outcome,
    OwnPosts,
    PlatformName,
    Profile,
    Receipt,
    Removed,
    Violation,
)


class Authorising(Protocol):
    """Getting, renewing and ending a grant; see `platforms.platform.Platform`."""

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation: ...

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant: ...

    async def refresh(
        self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock
    ) -> Grant: ...

    async def revoke(
        self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock
    ) -> None: ...


class Reading(Protocol):
    """Who the account is, and what became of its posts in numbers."""

    async def profile(self, call: Call) -> Profile: ...

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]: ...


class Listing(Protocol):
    """The account's own posts, as the platform lists them."""

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts: ...


class Choosing(Protocol):
    """For platforms where one authorisation opens several accounts."""

    async def accounts(self, call: Call) -> Sequence[Profile]: ...

    async def act_for(self, call: Call, account_id: str) -> Grant: ...


class Posting(Protocol):
    """A post's way to the platform."""

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None: ...

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome: ...

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding: ...


class Removing(Protocol):
    """A published post's way off the platform."""

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere: ...


class Webhooks(Protocol):
    """What the platform tells of its own accord."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool: ...

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]: ...

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None: ...


class Check(Protocol):
    """Every rule a post would break. Pure."""

    def __call__(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]: ...


@dataclass(frozen=True)
class ComposedPlatform:
    """Satisfies `platforms.platform.Platform`."""

    name: PlatformName
    scopes: tuple[str, ...]
    kinds: frozenset[ContentKind]
    limits: Limits
    insights_batch_max: int
    settings: type[msgspec.Struct]
    rules: Check
    authorising: Authorising
    posting: Posting
    reading: Reading
    listing: Listing
    removal: Removal
    removing: Removing | None = None
    choosing: Choosing | None = None
    webhooks: Webhooks | None = None
    counter: Callable[[str], int] | None = None
    secret_facts: tuple[str, ...] = ()

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        return await self.authorising.authorise(http, client, state=state, handle=handle, clock=clock)

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant:
        return await self.authorising.exchange(http, client, callback=callback, kept=kept, clock=clock)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        return await self.authorising.refresh(http, client, grant, clock=clock)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        await self.authorising.revoke(http, client, grant, clock=clock)

    async def profile(self, call: Call) -> Profile:
        return await self.reading.profile(call)

    async def accounts(self, call: Call) -> Sequence[Profile]:
        return await self.choosing.accounts(call) if self.choosing else [await self.reading.profile(call)]

    async def act_for(self, call: Call, account_id: str) -> Grant:
        return await self.choosing.act_for(call, account_id) if self.choosing else call.grant

    def settings_schema(self) -> Mapping[str, Any]:
        return schema_of(self.settings)

    def length(self, text: str) -> int:
        return (self.counter or COUNTERS[self.limits.text.unit])(text)

    def check(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
        return self.rules(text=text, media=media, settings=settings)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        await self.posting.stage(call, delivery, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self.posting.publish(call, delivery, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self.posting.status(call, delivery, journal)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        return await self.posting.reconcile(call, delivery, journal)

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        if self.removing is None:
            detail = "the platform lets only a person remove a post"
            raise Rejected(NO_CALL, detail, advice=self.removal.advice)
        if not self.removal.also_needs <= set(call.grant.scopes):
            advice = f"Connect the account again and allow it. Or: {self.removal.advice}"
            raise Rejected(PERMISSION_MISSING, "the person did not permit to remove posts", advice=advice)
        return await self.removing.remove(call, receipt)

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        return await self.listing.own_posts(call, since=since)

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Counts of at most `insights_batch_max` posts."""
        assert len(post_ids) <= self.insights_batch_max
        return await self.reading.insights(call, post_ids) if post_ids else {}

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        return self.webhooks is not None and self.webhooks.verify(headers, body, client)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        return self.webhooks.read(headers, body) if self.webhooks else ()

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        return self.webhooks.answer_challenge(query, client) if self.webhooks else None
