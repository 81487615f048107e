"""What became of a post whose call went unanswered, and what the journal knows of the posts that are out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import PlatformError, Transient
from platforms.forgiving import hear
from platforms.shape import Call, Delivery, Finding, Journal, Undecided
from platforms.threads.api import ThreadsApi
from platforms.threads.containers import Container, Containers, forget
from platforms.threads.errors import GONE, proven_refusal
from platforms.threads.limits import LISTING_LAG_SECONDS, LOOK_AGAIN_SECONDS
from platforms.threads.looking import Looking, Wanted
from platforms.threads.plan import Part

_UNASKABLE = GONE | {"100"}
"""Codes by which a container is no container (any more)."""


class Settling:
    """Finds out about a tried container; what it proves is noted, so that publishing goes on from it."""

    def __init__(self, api: ThreadsApi, containers: Containers) -> None:
        self._containers = containers
        self._looking = Looking(api)

    async def settle(self, call: Call, delivery: Delivery, parts: Sequence[Part], journal: Journal) -> Finding | None:
        """None once it is known whether the tried post is out, else what can be said by now."""
        trying = journal.facts["trying"]
        part = parts[trying["index"]]
        match await self._status(call, trying["container"]):
            case "PUBLISHED":
                await self._note_shown(call, delivery, parts, part, journal)
                return None
            case "FINISHED" | "IN_PROGRESS":
                if await self.find(call, delivery, part, journal):
                    return None
                await self._look_twice(call, journal, apart_seconds=LOOK_AGAIN_SECONDS)
                return await self._not_shown(part, journal)
            case "EXPIRED" | "ERROR":
                await forget(journal, str(part.index))
                return await self._not_shown(part, journal)
            case _:
                if await self.find(call, delivery, part, journal):
                    return None
                await self._look_twice(call, journal, apart_seconds=LISTING_LAG_SECONDS)
                return Undecided(evidence_of(journal) | {"reason": "Threads neither knows the container nor lists it"})

    async def find(self, call: Call, delivery: Delivery, part: Part, journal: Journal) -> bool:
        """Look for a shown post in the account's list, and note its id."""
        since = datetime.fromisoformat(journal.facts["first_tried"][str(part.index)])
        media = tuple(delivery.media[position] for position in part.media)
        wanted = Wanted(part.text, media, id_of(journal, part.replies_to), since)
        known = set(posted(journal).values())
        new = [post_id for post_id in await self._looking.find(call, wanted) if post_id not in known]
        if new:
            await note_post(journal, part, new[0])
        return bool(new)

    async def hear(self, call: Call, delivery: Delivery, parts: Sequence[Part], journal: Journal) -> None:
        """A person says that it is not there. What Threads shows by now is out all the same."""
        trying = journal.facts.get("trying")
        if trying is not None:
            part, standing = parts[trying["index"]], await self._status(call, trying["container"])
            if standing == "PUBLISHED":
                await self._note_shown(call, delivery, parts, part, journal)
            elif not await self.find(call, delivery, part, journal) and standing not in ("FINISHED", "IN_PROGRESS"):
                await forget(journal, str(part.index))
        await hear(delivery, journal, trying=None, looked_at=None, stuck=None)

    async def _status(self, call: Call, container_id: str) -> str | None:
        try:
            return (await self._containers.status(call, container_id)).status
        except PlatformError as error:
            if error.code in _UNASKABLE:
                return None
            raise

    async def _note_shown(
        self, call: Call, delivery: Delivery, parts: Sequence[Part], part: Part, journal: Journal
    ) -> None:
        """It is out. Its id can come later, unless a further post is to answer it."""
        if await self.find(call, delivery, part, journal):
            return
        if any(further.replies_to == part.index for further in parts):
            raise Transient("not_listed_yet", "the post is out, but not yet in the account's list")
        await note_post(journal, part, None)

    async def _look_twice(self, call: Call, journal: Journal, *, apart_seconds: float) -> None:
        """Absence is believed at the second look, so long after the first."""
        now, looked_at = call.clock.now(), journal.facts.get("looked_at")
        if looked_at is None:
            await journal.record(looked_at=now.isoformat())
        if looked_at is None or now - datetime.fromisoformat(looked_at) < timedelta(seconds=apart_seconds):
            raise Transient("not_shown_yet", "the post is not out; it is looked for once more")

    async def _not_shown(self, part: Part, journal: Journal) -> Finding | None:
        """Proved. If Threads had refused it in words that leave doubt, that is what they meant."""
        refused = proven_refusal(journal.facts["trying"].get("told", ""))
        await journal.record(trying=None, looked_at=None)
        if refused is None or part.index == 0:
            return refused
        await give_up(journal, part, code=refused.code, detail=refused.detail)
        return Undecided(evidence_of(journal)) if journal.facts.get("stuck") else None


async def note_attempt(call: Call, part: Part, container: Container, journal: Journal) -> None:
    """What is tried, and since when; the time of the first attempt is kept."""
    tried = dict(journal.facts.get("first_tried") or {})
    tried.setdefault(str(part.index), call.clock.now().isoformat())
    await journal.record(trying={"index": part.index, "container": container.id}, first_tried=tried)


async def note_post(journal: Journal, part: Part, post_id: str | None) -> None:
    await journal.record(posts={**posted(journal), str(part.index): post_id}, trying=None, looked_at=None)


async def give_up(journal: Journal, part: Part, *, code: str, detail: str) -> None:
    """A reply was refused for good. A thread that cannot go on is for a person; a comment less is still a post."""
    told = {"index": part.index, "code": code, "detail": detail}
    if part.is_comment:
        await journal.record(left_out=told)
        await note_post(journal, part, None)
    else:
        await journal.record(stuck=told, trying=None)


def posted(journal: Journal) -> Mapping[str, str | None]:
    """Ids of the posts that are out, by their index (as text, because JSON has no other keys); None: not told yet."""
    return journal.facts.get("posts") or {}


def id_of(journal: Journal, index: int | None) -> str | None:
    return None if index is None else posted(journal).get(str(index))


def evidence_of(journal: Journal) -> dict[str, Any]:
    facts = journal.facts
    told = {name: facts[name] for name in ("first_tried", "trying", "stuck", "left_out") if facts.get(name)}
    return {"posts": dict(posted(journal))} | told
