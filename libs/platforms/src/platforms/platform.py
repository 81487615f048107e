"""A platform as its callers see it. `platforms.composed` builds one of parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.limits import ContentKind, Limits
from platforms.removal import Removal
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


class Platform(Protocol):
    """One social platform. Every method raises `platforms.errors.PlatformError` and nothing else
    for what the platform or the way to it does."""

    @property
    def name(self) -> PlatformName: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    @property
    def kinds(self) -> frozenset[ContentKind]:
        """What can be posted there."""

    @property
    def limits(self) -> Limits:
        """The platform's numbers as data."""

    @property
    def removal(self) -> Removal:
        """Whether a post can be taken off again, and where a person does it."""

    @property
    def insights_batch_max(self) -> int: ...

    @property
    def secret_facts(self) -> tuple[str, ...]:
        """The journal facts that are credentials: whoever keeps the journal encrypts them."""

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
    ) -> Grant:
        """Turn the callback's query parameters (decoded once) into a grant; `state` is already checked."""

    async def refresh(
        self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock
    ) -> Grant: ...

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        """End the grant at the platform. Returns only if the platform confirmed."""

    async def profile(self, call: Call) -> Profile: ...

    async def accounts(self, call: Call) -> Sequence[Profile]:
        """Every account the grant can act for: pages, organisations, channels; the person's own where there is one."""

    async def act_for(self, call: Call, account_id: str) -> Grant:
        """The grant narrowed to one of its `accounts`."""

    def settings_schema(self) -> Mapping[str, Any]:
        """JSON Schema of `Delivery.settings`, so that a client can draw the form."""

    def length(self, text: str) -> int:
        """How long the platform counts a text to be, in the unit of `limits.text`."""

    def check(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
        """Every rule the post would break, before anything is scheduled. Pure, no I/O."""

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Do everything that stays invisible. Resumes from the journal; safe to repeat."""

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Do the one thing that makes the post visible. Called only after `stage` returned and the
        caller has committed its intent. Raises `OutcomeUnknown` when no answer came."""

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Ask what became of an accepted post."""

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Answer "was it posted?" after an unknown outcome, with evidence, changing nothing."""

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        """Take a published post off the platform, with every part that its receipt names.

        Safe to repeat, so a call without an answer is `Transient`: what it came to shows the next time. `Rejected`
        where it is not `removal.offered`, or the grant lacks a scope for it.
        """

    async def own_posts(self, call: Call, *, since: datetime) -> OwnPosts:
        """What the platform lists of the account's posts since then, for comparing it with what we believe."""

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Counts of at most `insights_batch_max` posts; a post that is gone is absent from the answer."""

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        """True if the body is signed by the platform with our secret. False where it has no webhooks."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """What a verified webhook tells; what is not understood is a notice of kind `other`."""

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """The body that proves to the platform that the webhook's address is ours; None if it did not ask so."""
