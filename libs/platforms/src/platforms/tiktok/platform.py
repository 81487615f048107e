"""TikTok as one `Platform`: the calls of the shape, each handed to the module that knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from kit.clock import Clock
from kit.secret import Secret

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
from platforms.tiktok import oauth, rules, webhooks
from platforms.tiktok.answers import UserInfo, Videos
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.limits import INSIGHTS_IDS_MAX
from platforms.tiktok.posting import Posting
from platforms.tiktok.settings import TikTokSettings


class TikTok:
    """Satisfies `platforms.shape.Platform`. Facts named in `SECRET_FACTS` are stored encrypted."""

    SECRET_FACTS: tuple[str, ...] = ("upload_url",)

    name: PlatformName = PlatformName.TIKTOK
    scopes: tuple[str, ...] = oauth.SCOPES
    insights_batch_max: int = INSIGHTS_IDS_MAX

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._endpoints = endpoints
        self._api = TikTokApi(endpoints)
        self._posting = Posting(endpoints)

    async def authorise(
        self, http: httpx.AsyncClient, client: ClientCredentials, *, state: str, handle: str | None, clock: Clock
    ) -> Authorisation:
        return oauth.authorise(self._endpoints, client, state=state, clock=clock)

    async def exchange(
        self,
        http: httpx.AsyncClient,
        client: ClientCredentials,
        *,
        callback: Mapping[str, str],
        kept: Mapping[str, Secret],
        clock: Clock,
    ) -> Grant:
        return await oauth.exchange(self._endpoints, http, client, callback=callback, kept=kept, clock=clock)

    async def refresh(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> Grant:
        return await oauth.refresh(self._endpoints, http, client, grant, clock=clock)

    async def revoke(self, http: httpx.AsyncClient, client: ClientCredentials, grant: Grant, *, clock: Clock) -> None:
        await oauth.revoke(self._endpoints, http, client, grant, clock=clock)

    async def profile(self, call: Call) -> Profile:
        """Ask only for granted fields: one outside the grant fails the whole call."""
        fields = ["open_id", "union_id", "avatar_url", "display_name"]
        if "user.info.profile" in call.grant.scopes:
            fields.append("username")
        user = (await self._api.get(call, "user/info/", UserInfo, fields=",".join(fields))).user
        display_name = user.display_name or ""
        return Profile(
            account_id=user.open_id or call.grant.account_id,
            handle=user.username or display_name,
            display_name=display_name,
            avatar_url=user.avatar_url or None,
            account_type=None,
            union_id=user.union_id or None,
        )

    def settings_schema(self) -> Mapping[str, Any]:
        return schema_of(TikTokSettings)

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
        """Lifetime totals. TikTok counts views only once a video is public."""
        assert len(post_ids) <= INSIGHTS_IDS_MAX
        data = await self._api.post(
            call,
            "video/query/",
            {"filters": {"video_ids": list(post_ids)}},
            Videos,
            fields="id,view_count,like_count,comment_count,share_count",
        )
        return {
            video.id: Counts(
                views=video.view_count,
                likes=video.like_count,
                comments=video.comment_count,
                shares=video.share_count,
            )
            for video in data.videos
        }

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        return client.client_secret is not None and webhooks.verify(headers, body, client.client_secret)
