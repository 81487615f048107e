"""The imitated TikTok's state in one place, with the checks every API call begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from kit.clock import Clock

from sandbox.tiktok.answers import AnyRequest, ApiError
from sandbox.tiktok.state import Account, Asked, Client, Code, Grant, MinuteLimits, Photos, Publication, Upload
from sandbox.tiktok.webhooks import Webhooks
from sandbox.truth import Truth
from sandbox.tuning import Tuning

NAME = "tiktok"
REVOKED_BY_DEVELOPER = 5


class TikTokState:
    """Held in memory; a sandbox that ends forgets everything."""

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None:
        self.base_url = base_url
        self.clock = clock
        self.truth = truth
        self.tuning = tuning
        self.clients = {client.client_key: client for client in (Client(),)}
        defaults = (
            Account("sandbox-open-id-one", "brand_one", "Brand One"),
            Account("sandbox-open-id-two", "brand_two", "Brand Two"),
        )
        self.accounts = {account.open_id: account for account in defaults}
        self.asked: dict[str, Asked] = {}
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.uploads: dict[str, Upload] = {}
        self.photos: dict[str, Photos] = {}
        self.fetching: set[asyncio.Task[None]] = set()
        self.limits = MinuteLimits()
        self.planned_outcomes: list[dict[str, object]] = []
        self.webhooks = Webhooks(clock, tuning)

    def publications(self) -> Mapping[str, Publication]:
        """Everything that was started, by its `publish_id`."""
        return {**self.uploads, **self.photos}

    async def stop(self) -> None:
        for task in self.fetching:
            task.cancel()
        await asyncio.gather(*self.fetching, return_exceptions=True)
        await self.webhooks.stop()

    def grant_of(self, access_token: str) -> Grant | None:
        for grant in self.grants:
            if grant.access_token == access_token and not grant.revoked:
                return grant
        return None

    def authenticate(self, request: AnyRequest, *scopes: str, endpoint: str, per_minute: int) -> Grant:
        """The grant behind a bearer token, if it is alive, has one of the scopes and is within its limit."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.grant_of(token) if kind == "Bearer" and token else None
        now = self.clock.now()
        if grant is None or grant.access_expires_at <= now:
            raise ApiError(401, "access_token_invalid", "The access token is invalid or not found in the request.")
        if not set(scopes) & set(grant.scopes):
            raise ApiError(401, "scope_not_authorized", "The user did not authorize the scope required.")
        if self.tuning.rate_limits and self.limits.exceeded(token, endpoint, limit=per_minute, now=now):
            raise ApiError(429, "rate_limit_exceeded", "The API rate limit was exceeded.")
        return grant

    def end(self, grant: Grant, *, reason: int) -> None:
        """Withdraw a grant: its tokens die at once and the application is told."""
        grant.revoked = True
        if reason == REVOKED_BY_DEVELOPER:
            self.truth.revoked(NAME, account_id=grant.open_id, client_id=grant.client_key)
        client = self.clients.get(grant.client_key)
        if client is not None:
            self.webhooks.send(client, "authorization.removed", grant.open_id, {"reason": reason})

    def posts_within_a_day(self, open_id: str) -> int:
        since: datetime = self.clock.now() - timedelta(days=1)
        return sum(post.posted_at > since for post in self.truth.posts(NAME, open_id))
