"""Containers: what Threads is to show, prepared without being seen. Media are fetched by Threads from an address.

The journal knows each by a name: "0" for the first post, "2/5" for the file at position 5 in a carousel of the third.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from platforms.errors import RateLimited, Transient
from platforms.shape import Call, Delivery, Journal
from platforms.threads.answers import Made, Status
from platforms.threads.api import ThreadsApi
from platforms.threads.errors import media_error
from platforms.threads.limits import CONTAINER_SECONDS, PROCESSING_ASK_AGAIN_SECONDS, PROCESSING_MAX
from platforms.threads.plan import Part, of_item, of_part, settings_of

PROCESSING = "container_processing"


@dataclass(frozen=True)
class Container:
    """One container as the journal keeps it. `unseen`: how often the publishing call did not know it."""

    id: str
    made_at: str
    ready: bool = False
    unseen: int = 0

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], name: str) -> Self | None:
        known = (facts.get("containers") or {}).get(name)
        return cls(**known) if known else None

    def age(self, now: datetime) -> timedelta:
        return now - datetime.fromisoformat(self.made_at)


class Containers:
    """Makes containers and follows them until they are ready."""

    def __init__(self, api: ThreadsApi) -> None:
        self._api = api

    async def prepare(
        self, call: Call, delivery: Delivery, part: Part, journal: Journal, *, replies_to: str | None
    ) -> Container:
        """A ready container for a post; what the journal has is not made again.

        Raises `RateLimited` with the code `PROCESSING` while Threads is at work on it.
        """
        name = str(part.index)
        container = self._usable(call, name, journal)
        if container is None:
            children = await self._prepare_items(call, delivery, part, journal) if part.is_carousel else []
            file = None
            if part.media and not children:
                item = delivery.media[part.media[0]]
                assert item.source is not None
                file = (item, await item.source.address())
            settings = settings_of(delivery.settings)
            made = of_part(part, settings, file=file, children=children, replies_to=replies_to)
            container = await self._make(call, name, made, journal)
        return await self._finished(call, name, container, journal)

    async def prepare_items(self, call: Call, delivery: Delivery, part: Part, journal: Journal) -> None:
        """The files of a later carousel; they do not depend on what it answers, so they are made ahead."""
        if part.is_carousel and self._usable(call, str(part.index), journal) is None:
            await self._prepare_items(call, delivery, part, journal)

    async def status(self, call: Call, container_id: str) -> Status:
        """Where a container stands, with nothing concluded from it."""
        return await self._api.get(call, container_id, Status, fields="id,status,error_message")

    async def _prepare_items(self, call: Call, delivery: Delivery, part: Part, journal: Journal) -> list[str]:
        """All are begun before one is waited for: Threads works on them side by side."""
        begun: dict[str, Container] = {}
        for position in part.media:
            name = f"{part.index}/{position}"
            container = self._usable(call, name, journal)
            if container is None:
                item = delivery.media[position]
                assert item.source is not None
                container = await self._make(call, name, of_item(item, await item.source.address()), journal)
            begun[name] = container
        for name, container in begun.items():
            begun[name] = await self._finished(call, name, container, journal)
        return [container.id for container in begun.values()]

    async def _make(self, call: Call, name: str, parameters: Mapping[str, Any], journal: Journal) -> Container:
        made = await self._api.post(call, "me/threads", Made, **parameters)
        container = Container(made.id, call.clock.now().isoformat())
        await keep(journal, name, container)
        return container

    async def _finished(self, call: Call, name: str, container: Container, journal: Journal) -> Container:
        if container.ready:
            return container
        told = await self.status(call, container.id)
        match told.status:
            case "FINISHED" | "PUBLISHED":
                # Published ones are ready too: whoever is about to show it finds out that it is out.
                ready = replace(container, ready=True)
                await keep(journal, name, ready)
                return ready
            case "IN_PROGRESS" if container.age(call.clock.now()) < PROCESSING_MAX:
                until = call.clock.now() + timedelta(seconds=PROCESSING_ASK_AGAIN_SECONDS)
                raise RateLimited(PROCESSING, "Threads is still processing the post", until=until)
            case "ERROR":
                await forget(journal, name)
                raise media_error(told.error_message)
            case _:
                await forget(journal, name)
                raise Transient("container_lost", "Threads gave the prepared post up; it is prepared anew")

    def _usable(self, call: Call, name: str, journal: Journal) -> Container | None:
        container = Container.from_facts(journal.facts, name)
        young = container and container.age(call.clock.now()) < timedelta(seconds=CONTAINER_SECONDS)
        return container if young else None


async def keep(journal: Journal, name: str, container: Container) -> None:
    known = journal.facts.get("containers") or {}
    await journal.record(containers={**known, name: asdict(container)})


async def forget(journal: Journal, name: str) -> None:
    """The next staging makes it anew."""
    known = journal.facts.get("containers") or {}
    await journal.record(containers={each: kept for each, kept in known.items() if each != name})
