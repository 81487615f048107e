"""YouTube's push notices: an Atom feed through Google's hub (PubSubHubbub), signed with a secret we gave it.

A feed tells of uploads and of changed titles and descriptions alike, so each is only a hint to look.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
from kit.clock import Clock
from kit.secret import Secret

from platforms.shape import ClientCredentials, Notice, NoticeKind
from platforms.tokens import secret_of
from platforms.wire import send
from platforms.youtube.endpoints import YouTubeEndpoints
from platforms.youtube.errors import api_error

HEADER = "x-hub-signature"
LEASE_SECONDS = 5 * 24 * 3600
"""The hub forgets a subscription after this time; it gives at most ten days."""

_ENTRY = re.compile(r"<entry[ >].*?</entry>", re.DOTALL)
_DELETED = re.compile(
    r'<at:deleted-entry\s+ref="yt:video:([A-Za-z0-9_-]{1,64})"\s+when="([^"]{1,64})"[^>]*>(.*?)</at:deleted-entry>',
    re.DOTALL,
)


def hub_secret(secret: Secret) -> str:
    """What the hub signs with. Made from the client secret, which itself never goes to the hub."""
    return _derived(secret, "hub.secret")


def topic(endpoints: YouTubeEndpoints, channel_id: str) -> str:
    """The feed of one channel, under the address that the hub knows it by."""
    return f"{endpoints.feeds}/xml/feeds/videos.xml?channel_id={channel_id}"


async def subscribe(
    http: httpx.AsyncClient,
    client: ClientCredentials,
    endpoints: YouTubeEndpoints,
    *,
    channel_id: str,
    callback: str,
    clock: Clock,
    end: bool = False,
) -> None:
    """Ask the hub to push a channel's feed to us, or to end it. It looks at the callback before it does."""
    secret = secret_of(client, "Google")
    form = {
        "hub.mode": "unsubscribe" if end else "subscribe",
        "hub.topic": topic(endpoints, channel_id),
        "hub.callback": callback,
        "hub.verify": "async",
        "hub.verify_token": _derived(secret, "hub.verify_token"),
        "hub.secret": hub_secret(secret),
        "hub.lease_seconds": str(LEASE_SECONDS),
    }
    answer = await send(http, http.build_request("POST", f"{endpoints.hub}/subscribe", data=form))
    if answer.status not in (202, 204):
        raise api_error(answer, now=clock.now())


class Webhooks:
    """YouTube's part of `platforms.composed.Webhooks`."""

    def verify(self, headers: Mapping[str, str], body: bytes, client: ClientCredentials) -> bool:
        if client.client_secret is None:
            return False
        told = next((value for name, value in headers.items() if name.lower() == HEADER), "")
        expected = "sha1=" + hmac.new(hub_secret(client.client_secret).encode(), body, "sha1").hexdigest()
        return hmac.compare_digest(expected.encode(), told.lower().encode())

    def read(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """A notice for each entry; a body that holds none is one of kind `other`."""
        text = body.decode("utf-8", "replace")
        found = [*map(_changed, _ENTRY.findall(text)), *(_removed(*match) for match in _DELETED.findall(text))]
        return found or [Notice(NoticeKind.OTHER, hashlib.sha256(body).hexdigest())]

    def answer_challenge(self, query: Mapping[str, str], client: ClientCredentials) -> str | None:
        """Echo the hub's challenge, if it is about a channel's feed and was asked for by us."""
        if client.client_secret is None or query.get("hub.mode") not in ("subscribe", "unsubscribe"):
            return None
        about = urlsplit(query.get("hub.topic", ""))
        if not about.path.endswith("/feeds/videos.xml") or not parse_qs(about.query).get("channel_id"):
            return None
        expected = _derived(client.client_secret, "hub.verify_token")
        if not hmac.compare_digest(expected.encode(), query.get("hub.verify_token", "").encode()):
            return None
        return query.get("hub.challenge")


def _changed(entry: str) -> Notice:
    video_id, updated = _inside(entry, "yt:videoId"), _inside(entry, "updated")
    if video_id is None:
        return Notice(NoticeKind.OTHER, hashlib.sha256(entry.encode()).hexdigest())
    return Notice(
        NoticeKind.POST_PUBLISHED,
        f"{video_id}:{updated or ''}",
        account_id=_inside(entry, "yt:channelId"),
        post_id=video_id,
        occurred_at=_moment(updated),
    )


def _removed(video_id: str, when: str, rest: str) -> Notice:
    channel = re.search(r"/channel/(UC[A-Za-z0-9_-]{1,64})", rest)
    return Notice(
        NoticeKind.POST_REMOVED,
        f"{video_id}:removed:{when}",
        account_id=channel[1] if channel else None,
        post_id=video_id,
        occurred_at=_moment(when),
    )


def _inside(entry: str, name: str) -> str | None:
    found = re.search(rf"<{name}>\s*([^<]{{1,100}}?)\s*</{name}>", entry)
    return unescape(found[1]) if found else None


def _moment(told: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(told) if told else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _derived(secret: Secret, purpose: str) -> str:
    return hmac.new(secret.reveal().encode(), f"youtube:{purpose}".encode(), hashlib.sha256).hexdigest()
