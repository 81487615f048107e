"""A post's containers: made, followed until Instagram is done with them, made anew when they came to nothing.

A container shows nothing. Instagram fetches its file from an address; it lives for a day. The journal knows
`children` (a carousel's items in their order), `container` (what is to be published) and `containers_at`, when the
first of them was made; those that were given up stay as `abandoned`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import Misconfigured, RateLimited, Rejected, Transient
from platforms.instagram.answers import Container, Made, Quotas
from platforms.instagram.errors import GONE, failure_of
from platforms.instagram.limits import (
    CONTAINER_HOURS,
    CONTAINER_MARGIN_MINUTES,
    PROCESSING_ASK_AGAIN_SECONDS,
    PROCESSING_MINUTES_MAX,
    QUOTA_WAIT_SECONDS,
)
from platforms.instagram.rules import shown_media
from platforms.instagram.settings import InstagramSettings, UserTag
from platforms.limits import Per
from platforms.meta.graph import Graph
from platforms.shape import Call, Delivery, Journal, Media, MediaKind


class Containers:
    """The invisible half of posting."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def bring(self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal) -> None:
        """Return once there is a container that can be published, or was.

        Raises `RateLimited` with the time at which to ask again while Instagram works on a file.
        """
        if journal.facts.get("containers_at") and is_old(journal.facts, call.clock.now()):
            await give_up(journal)
        if not journal.facts.get("containers_at"):
            await self._refuse_over_quota(call)
        shown = shown_media(delivery.media, settings)
        if not journal.facts.get("container"):
            children = await self._children(call, shown, settings, journal) if len(shown) > 1 else None
            parameters = await _parameters(delivery, settings, children)
            made = await self._make(call, parameters)
            await journal.record(container=made, **_begun(call, journal))
        await self._wait(call, [journal.facts["container"]], journal)

    async def look(self, call: Call, container_id: str) -> Container:
        return await self._graph.get(call, container_id, Container, fields="id,status_code,status")

    async def _refuse_over_quota(self, call: Call) -> None:
        """The number of posts in 24 hours is the account's own; refused now, nothing is made in vain."""
        path = f"{call.grant.account_id}/content_publishing_limit"
        told = await self._graph.get(call, path, Quotas, fields="quota_usage,config")
        quota = told.data[0] if told.data else None
        if quota is not None and quota.quota_usage >= (quota.config.quota_total or quota.quota_usage + 1):
            until = call.clock.now() + timedelta(seconds=QUOTA_WAIT_SECONDS)
            raise RateLimited(
                "quota_reached", "the account has reached its posts for 24 hours", until=until, per=Per.ACCOUNT
            )

    async def _children(
        self, call: Call, shown: list[tuple[int, Media]], settings: InstagramSettings, journal: Journal
    ) -> list[str]:
        """A carousel's items, all of them ready: Instagram takes no others into a carousel."""
        children: list[str] = list(journal.facts.get("children") or [])
        for position, item in shown[len(children) :]:
            parameters = await _file(position, item, settings) | {"is_carousel_item": True}
            if item.kind is MediaKind.VIDEO:
                parameters["media_type"] = "VIDEO"
            children.append(await self._make(call, parameters))
            await journal.record(children=list(children), **_begun(call, journal))
        await self._wait(call, children, journal)
        return children

    async def _make(self, call: Call, parameters: Mapping[str, Any]) -> str:
        return (await self._graph.post(call, f"{call.grant.account_id}/media", Made, **parameters)).id

    async def _wait(self, call: Call, container_ids: list[str], journal: Journal) -> None:
        working = False
        for container_id in container_ids:
            standing = await self._standing(call, container_id, journal)
            match standing.status_code:
                case "FINISHED" | "PUBLISHED":
                    pass
                case "ERROR":
                    await give_up(journal)
                    raise failure_of(standing)
                case "EXPIRED":
                    await give_up(journal)
                    raise Transient("container_expired", "what was prepared has expired; it is prepared anew")
                case _:
                    working = True
        if not working:
            return
        if _age(journal.facts, call.clock.now()) > timedelta(minutes=PROCESSING_MINUTES_MAX):
            await give_up(journal)
            raise Transient("container_stuck", "Instagram did not finish with a file; it is prepared anew")
        until = call.clock.now() + timedelta(seconds=PROCESSING_ASK_AGAIN_SECONDS)
        raise RateLimited("container_processing", "Instagram is still processing a file of the post", until=until)

    async def _standing(self, call: Call, container_id: str, journal: Journal) -> Container:
        """A container that is gone is made anew, unless it may have been published."""
        try:
            return await self.look(call, container_id)
        except Rejected as error:
            if error.code not in GONE or journal.facts.get("tried_at"):
                raise
            await give_up(journal)
            raise Transient("container_gone", "what was prepared is gone; it is prepared anew") from None


def is_old(facts: Mapping[str, Any], now: datetime) -> bool:
    """True if the containers end too soon to be relied on. One that may be published is never left alone for that."""
    return not facts.get("tried_at") and _age(facts, now) > timedelta(
        hours=CONTAINER_HOURS, minutes=-CONTAINER_MARGIN_MINUTES
    )


async def give_up(journal: Journal) -> None:
    """Forget containers that came to nothing; their ids stay as evidence."""
    facts = journal.facts
    given_up = [each for each in (*(facts.get("children") or []), facts.get("container")) if each]
    abandoned = [*(facts.get("abandoned") or []), *given_up]
    await journal.record(children=None, container=None, containers_at=None, abandoned=abandoned)


def _begun(call: Call, journal: Journal) -> dict[str, Any]:
    return {"containers_at": journal.facts.get("containers_at") or call.clock.now().isoformat()}


def _age(facts: Mapping[str, Any], now: datetime) -> timedelta:
    return now - datetime.fromisoformat(facts["containers_at"])


async def _parameters(delivery: Delivery, settings: InstagramSettings, children: list[str] | None) -> Mapping[str, Any]:
    """What is told of the container that will be published. What is None is not sent."""
    about: dict[str, Any] = {
        "caption": delivery.text or None,
        "collaborators": list(settings.collaborators) or None,
        "location_id": settings.location_id or None,
        "is_ai_generated": settings.is_ai_generated or None,
    }
    if children is not None:
        return about | {"media_type": "CAROUSEL", "children": ",".join(children)}
    ((position, item),) = shown_media(delivery.media, settings)
    about |= await _file(position, item, settings)
    if settings.kind == "story":
        # A story's caption is empty by the rules; an alternative text is taken on posts alone.
        return about | {"media_type": "STORIES", "alt_text": None}
    if item.kind is MediaKind.IMAGE:
        return about
    about |= {"media_type": "REELS", "share_to_feed": settings.share_to_feed}
    if settings.cover_media is not None:
        return about | {"cover_url": await _address(delivery.media[settings.cover_media])}
    return about | {"thumb_offset": settings.cover_offset_ms}


async def _file(position: int, item: Media, settings: InstagramSettings) -> dict[str, Any]:
    tags = [_tag(tag) for tag in settings.user_tags if tag.media == position]
    about: dict[str, Any] = {"user_tags": tags or None}
    if item.kind is MediaKind.VIDEO:
        return about | {"video_url": await _address(item)}
    return about | {"image_url": await _address(item), "alt_text": item.alt_text or None}


def _tag(tag: UserTag) -> dict[str, Any]:
    place = {} if tag.x is None or tag.y is None else {"x": tag.x, "y": tag.y}
    return {"username": tag.username} | place


async def _address(item: Media) -> str:
    if item.source is None:
        raise Misconfigured("media_without_source", "a file of the post cannot be read")
    return await item.source.address()
