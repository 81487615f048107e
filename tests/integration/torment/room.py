"""A workspace with accounts on nine platforms: connected, written for and scheduled as a person does it."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
from sandbox.consent import give_consent
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox
from sandbox.tiktok.platform import TikTokSandbox
from signoff.demo.media import make_image, make_video
from signoff.demo.person import Person, Unexpected

from tests.integration.torment.house import House
from tests.integration.torment.plan import ACCOUNTS, Post, Variant

HANDLES = {"bluesky": "brand.test"}
"""Where the platform wants to know the account before it shows its page."""

SETTINGS: dict[str, dict[str, Any]] = {
    "tiktok": {"privacy_level": "PUBLIC_TO_EVERYONE"},
    "youtube": {"title": "A sunrise", "visibility": "public", "made_for_kids": False},
    "pinterest": {"board_id": number_of("board", "brand_one"), "title": "A sunrise"},
}
MEDIA = {"tiktok": "video", "youtube": "video", "instagram": "image", "pinterest": "image"}
"""Which need a file. The others are given text alone."""

AGAIN_SECONDS = 1.0
"""A request that failed may still be carried out; whether it was is looked at after this."""


class Room:
    """One workspace. What a killed service answers is asked again, never done twice."""

    def __init__(self, house: House, owner: Person) -> None:
        self._house = house
        self._owner = owner
        self._media: dict[str, str] = {}
        self._made: dict[Post, dict[str, Any]] = {}
        self.path = ""
        self.connections: dict[tuple[str, int], str] = {}

    @property
    def posts(self) -> dict[Post, str]:
        """The id of each post that was written."""
        return {post: made["post_id"] for post, made in self._made.items()}

    async def furnish(self) -> None:
        made = await self._owner.ask("POST", "/api/workspaces", expect=201, json={"name": "Brand", "time_zone": "UTC"})
        self.path = f"/api/workspaces/{made['workspace_id']}"
        _open_accounts(self._house.sandbox)
        for platform, count in ACCOUNTS.items():
            for number in range(count):
                self.connections[platform, number] = await self._connect(platform, number)
        for name, content_type, data in (("video", "video/mp4", make_video()), ("image", "image/jpeg", make_image())):
            headers = {"Content-Type": content_type}
            stored = await self._owner.ask("POST", f"{self.path}/media", expect=201, content=data, headers=headers)
            self._media[name] = stored["media_id"]

    async def write(self, post: Post) -> None:
        """Have it approved; it is scheduled later."""
        body = {"title": f"post {post.number}", "variants": [self._variant(each) for each in post.variants]}
        made = await self._owner.ask("POST", f"{self.path}/posts", expect=201, json=body)
        at, revision = f"{self.path}/posts/{made['post_id']}", {"revision_id": made["revision_id"]}
        await self._owner.ask("POST", f"{at}/submission", json=revision)
        await self._owner.ask("POST", f"{at}/approval", json=revision)
        self._made[post] = {
            "post_id": made["post_id"],
            "revision_id": made["revision_id"],
            "connection_ids": [self.connections[each.platform, each.account] for each in post.variants],
            "time_zone": "UTC",
        }

    async def schedule(self, post: Post) -> None:
        """Schedule it once, whoever dies meanwhile."""
        wish = dict(self._made[post])
        if post.ahead_seconds:
            at = self._house.system.clock.now() + timedelta(seconds=post.ahead_seconds)
            wish["at"] = at.strftime("%Y-%m-%dT%H:%M:%S")
        while True:
            answer = await self._try("POST", "schedules", json=wish)
            if answer is not None and answer.status_code == 201:
                return
            assert answer is None or answer.status_code >= 500, answer.text
            await asyncio.sleep(AGAIN_SECONDS)
            if await self._is_scheduled(wish["post_id"]):
                return

    async def reconnect(self) -> None:
        """Do what the list of connections asks of a person: authorise again what is dead."""
        answer = await self._try("GET", "connections")
        if answer is None or answer.status_code != 200:
            return
        states = {entry["connection_id"]: entry["state"] for entry in answer.json()["connections"]}
        for (platform, number), connection_id in self.connections.items():
            if states[connection_id] == "reauth_required":
                # Whoever is cut off meanwhile begins anew later.
                with suppress(Unexpected, httpx.HTTPError):
                    assert await self._connect(platform, number) == connection_id

    async def _try(self, method: str, what: str, **request: Any) -> httpx.Response | None:
        try:
            return await self._owner.http.request(method, f"{self.path}/{what}", **request)
        except httpx.TransportError:
            return None

    async def _is_scheduled(self, post_id: str) -> bool:
        while True:
            answer = await self._try("GET", "schedules")
            if answer is not None and answer.status_code == 200:
                return any(entry["post_id"] == post_id for entry in answer.json()["schedules"])
            await asyncio.sleep(AGAIN_SECONDS)

    async def _connect(self, platform: str, number: int) -> str:
        wish = {"platform": platform} | ({"handle": HANDLES[platform]} if platform in HANDLES else {})
        started_at = f"{self.path}/connections/authorisations"
        started = await self._owner.ask("POST", started_at, expect=201, json=wish)
        page = await self._owner.http.get(started["authorisation_url"])
        offered = [unescape(value) for value in re.findall(r'<option value="([^"]*)"', page.text)]
        callback = await give_consent(self._owner.http, started["authorisation_url"], account=offered[number])
        answer = await self._owner.ask("GET", callback.removeprefix(self._house.system.gateway_url))
        if answer.get("state") == "choice_needed":
            # LinkedIn shows a member's posts to nobody, so it is an organisation that posts.
            account_id = sorted(account["account_id"] for account in answer["accounts"])[0]
            choice = {"account_ids": [account_id]}
            path = f"{started_at}/{answer['authorisation_id']}/choices"
            (answer,) = (await self._owner.ask("POST", path, expect=201, json=choice))["connections"]
        return str(answer["connection_id"])

    def _variant(self, variant: Variant) -> dict[str, Any]:
        kind = MEDIA.get(variant.platform)
        return {
            "connection_id": self.connections[variant.platform, variant.account],
            "text": variant.text,
            "media": [{"media_id": self._media[kind], "alt_text": "a sunrise"}] if kind else [],
            "settings": SETTINGS.get(variant.platform, {}),
        }


def _open_accounts(sandbox: Sandbox) -> None:
    for number in range(ACCOUNTS["tiktok"]):
        sandbox.of(TikTokSandbox).register_account({"username": f"brand_{number}"})
