"""Bluesky as one `Platform`: the calls of the shape, each handed to the module that knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.bluesky import answers, rules
from platforms.bluesky.dpop import NonceBook
from platforms.bluesky.endpoints import BlueskyEndpoints
from platforms.bluesky.identity import Directory
from platforms.bluesky.limits import INSIGHTS_URIS_MAX
from platforms.bluesky.oauth import SCOPES, OAuth
from platforms.bluesky.posting import Posting
from platforms.bluesky.settings import BlueskySettings
from platforms.bluesky.xrpc import ask_appview
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
    Outcome,
    PlatformName,
    Profile,
    Violation,
)


class Bluesky:
    """Satisfies `platforms.shape.Platform`. No fact it journals is secret."""

    SECRET_FACTS: tuple[str, ...] = ()

    name: PlatformName = PlatformName.BLUESKY
    scopes: tuple[str, ...] = SCOPES
    insights_batch_max: int = INSIGHTS_URIS_MAX

    def __init__(self, endpoints: BlueskyEndpoints) -> None:
        directory, nonces = Directory(endpoints), NonceBook()
        self._appview = endpoints.appview
        self._oauth = OAuth(endpoints, directory, nonces)
        self._posting = Posting(endpoints, directory, nonces)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        return await self._oauth.authorise(http, client, state=state, handle=handle, clock=clock)

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant:
        return await self._oauth.exchange(http, client, callback=callback, kept=kept, clock=clock)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        return await self._oauth.refresh(http, client, grant, clock=clock)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        await self._oauth.revoke(http, client, grant, clock=clock)

    async def profile(self, call: Call) -> Profile:
        """From the AppView, which needs no permission for it."""
        actor = {"actor": call.grant.account_id}
        document = await ask_appview(call, self._appview, "app.bsky.actor.getProfile", actor, answers.Profile)
        handle = document.handle or call.grant.account_id
        return Profile(
            account_id=call.grant.account_id,
            handle=handle,
            display_name=document.display_name or handle,
            avatar_url=document.avatar or None,
            account_type=None,
        )

    def settings_schema(self) -> Mapping[str, Any]:
        return schema_of(BlueskySettings)

    def check(self, *, text: str, media: Sequence[Media], settings: Mapping[str, Any]) -> list[Violation]:
        return rules.check(text=text, media=media, settings=settings)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        await self._posting.stage(call, delivery, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._posting.publish(call, delivery, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        return await self._posting.status(call, delivery, journal)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        return await self._posting.reconcile(call, delivery, journal)

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Bluesky counts no views. A share is a repost or a quote."""
        assert len(post_ids) <= INSIGHTS_URIS_MAX
        if not post_ids:
            return {}
        uris = [("uris", uri) for uri in post_ids]
        document = await ask_appview(call, self._appview, "app.bsky.feed.getPosts", uris, answers.PostViews)
        return {
            post.uri: Counts(
                likes=post.like_count, comments=post.reply_count, shares=post.repost_count + post.quote_count
            )
            for post in document.posts
        }

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        return False
