"""Google's hub, imitated: a subscription is confirmed by a challenge, changes are pushed as a signed Atom feed."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

import httpx
from kit.clock import Clock
from litestar import Response, Router, post

from sandbox.tuning import Tuning
from sandbox.youtube.answers import AnyRequest
from sandbox.youtube.state import Channel, Video, told

FIRST_RETRY_SECONDS = 0.1
ANSWER_SECONDS = 5.0
LEASE_SECONDS_MAX = 10 * 24 * 3600


@dataclass(frozen=True)
class Subscription:
    callback: str
    channel_id: str
    secret: str
    until: datetime


class Hub:
    """Confirms and pushes in the background, as at-least-once delivery allows."""

    def __init__(self, clock: Clock, tuning: Tuning) -> None:
        self._clock = clock
        self._tuning = tuning
        self._tasks: set[asyncio.Task[None]] = set()
        self.subscriptions: dict[tuple[str, str], Subscription] = {}

    def verify(self, form: dict[str, str], channel_id: str) -> None:
        """Ask the callback whether it wants what was asked for in its name."""
        self._start(self._verify(form, channel_id))

    def push(self, channel: Channel, video: Video, *, at: datetime, removed: bool = False) -> None:
        """Tell every subscriber of the channel."""
        feed = (_removal if removed else _feed)(channel, video, at).encode()
        for subscription in list(self.subscriptions.values()):
            if subscription.channel_id == channel.channel_id and subscription.until > self._clock.now():
                for _ in range(self._tuning.webhook_copies):
                    self._start(self._deliver(subscription, feed))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _verify(self, form: dict[str, str], channel_id: str) -> None:
        lease = min(int(form.get("hub.lease_seconds") or LEASE_SECONDS_MAX), LEASE_SECONDS_MAX)
        challenge = secrets.token_hex(16)
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": challenge,
            "hub.lease_seconds": str(lease),
        }
        if "hub.verify_token" in form:
            query["hub.verify_token"] = form["hub.verify_token"]
        callback, key = form["hub.callback"], (form["hub.callback"], channel_id)
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            try:
                answer = await http.get(callback, params=query)
            except httpx.TransportError:
                return
        if answer.status_code // 100 != 2 or answer.text != challenge:
            return
        if form["hub.mode"] == "unsubscribe":
            self.subscriptions.pop(key, None)
        else:
            until = self._clock.now() + timedelta(seconds=lease)
            self.subscriptions[key] = Subscription(callback, channel_id, form.get("hub.secret", ""), until)

    async def _deliver(self, subscription: Subscription, feed: bytes) -> None:
        headers = {"Content-Type": "application/atom+xml"}
        if subscription.secret:
            headers["X-Hub-Signature"] = "sha1=" + hmac.new(subscription.secret.encode(), feed, "sha1").hexdigest()
        pause_seconds = FIRST_RETRY_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as http:
            for _ in range(self._tuning.webhook_attempts):
                try:
                    answer = await http.post(subscription.callback, content=feed, headers=headers)
                    if answer.status_code // 100 == 2:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(pause_seconds)
                pause_seconds *= 2


def create_router(hub: Hub) -> Router:
    """The hub's one route."""

    @post("/subscribe", status_code=202)
    async def subscribe(request: AnyRequest) -> Response[str]:
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        _, _, channel_id = form.get("hub.topic", "").partition("/feeds/videos.xml?channel_id=")
        if form.get("hub.mode") not in ("subscribe", "unsubscribe") or not form.get("hub.callback") or not channel_id:
            return Response("hub.mode, hub.topic and hub.callback are needed", status_code=400)
        hub.verify(form, channel_id)
        return Response("", status_code=202)

    return Router("/", route_handlers=[subscribe])


def _feed(channel: Channel, video: Video, at: datetime) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel.channel_id}"/>
 <title>YouTube video feed</title>
 <updated>{told(at)}</updated>
 <entry>
  <id>yt:video:{video.video_id}</id>
  <yt:videoId>{video.video_id}</yt:videoId>
  <yt:channelId>{channel.channel_id}</yt:channelId>
  <title>{escape(str(video.snippet.get("title", "")))}</title>
  <author><name>{escape(channel.title)}</name></author>
  <published>{told(video.uploaded_at)}</published>
  <updated>{told(at)}</updated>
 </entry>
</feed>"""


def _removal(channel: Channel, video: Video, at: datetime) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom">
 <at:deleted-entry ref="yt:video:{video.video_id}" when="{told(at)}">
  <at:by><name>{escape(channel.title)}</name><uri>https://www.youtube.com/channel/{channel.channel_id}</uri></at:by>
 </at:deleted-entry>
</feed>"""
