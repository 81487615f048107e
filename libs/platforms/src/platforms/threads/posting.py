"""A post's way to Threads: containers, then one call for each post of the thread that shows it.

A container is shown once and tells afterwards whether it was. So the journal says before each visible call which
container is tried; without an answer that one is asked, and only one that was not shown is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from platforms.errors import Misconfigured, OutcomeUnknown, PlatformError, RateLimited, Rejected, Transient
from platforms.forgiving import is_unheard
from platforms.limits import Per
from platforms.shape import Absent, Call, Delivery, Finding, Journal, Outcome, Published, Receipt, Refused, Undecided
from platforms.threads.answers import Linked, Made, Quotas
from platforms.threads.api import ThreadsApi
from platforms.threads.containers import PROCESSING, Container, Containers, forget, keep
from platforms.threads.errors import GONE, UNSEEN
from platforms.threads.limits import (
    CONTAINER_SECONDS,
    PAUSES_SECONDS,
    QUOTA_WAIT_SECONDS,
    UNSEEN_ASK_AGAIN_SECONDS,
    UNSEEN_MAX,
)
from platforms.threads.plan import Part, parts_of, settings_of
from platforms.threads.reading import Reading
from platforms.threads.rules import check
from platforms.threads.settling import Settling, evidence_of, give_up, id_of, note_attempt, note_post, posted

Pause = Callable[[float], Awaitable[None]]


class Posting:
    """The publishing half of the Threads client. `pause` waits for so many seconds."""

    def __init__(self, api: ThreadsApi, reading: Reading, pause: Pause = asyncio.sleep) -> None:
        self._api = api
        self._reading = reading
        self._pause = pause
        self._containers = Containers(api)
        self._settling = Settling(api, self._containers)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Make every container that can be made by now: of a reply only once the post it answers is out."""
        parts = _prepared(delivery)
        if is_unheard(delivery, journal):
            await self._settling.hear(call, delivery, parts, journal)
        waiting: PlatformError | None = None
        if "0" not in posted(journal) and Container.from_facts(journal.facts, "0") is None:
            await self._refuse_beyond_quota(call, parts)
        for part in _open_parts(parts, journal):
            try:
                await self._prepare(call, delivery, part, journal)
            except RateLimited as error:
                if error.code != PROCESSING:
                    raise
                waiting = error
            except (Rejected, Misconfigured) as error:
                if not posted(journal):
                    raise
                # What is out by now is told by publishing, which is next.
                await give_up(journal, part, code=error.code, detail=error.detail)
                if journal.facts.get("stuck"):
                    return
        if waiting is not None:
            raise waiting

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Show the posts one after the other, going on behind the last one that is known to be out."""
        parts, pauses = _prepared(delivery), iter(PAUSES_SECONDS)
        if journal.facts.get("trying") is not None:
            raise OutcomeUnknown("unresolved", "an earlier attempt at this post went unanswered")
        if journal.facts.get("stuck"):
            raise _incomplete(journal)
        for part in parts:
            if str(part.index) in posted(journal):
                continue
            try:
                await self._show(call, part, await self._ready(call, delivery, part, journal, pauses), journal)
            except (Rejected, Misconfigured) as error:
                if part.index == 0:
                    raise
                await give_up(journal, part, code=error.code, detail=error.detail)
                if journal.facts.get("stuck"):
                    raise _incomplete(journal) from None
        return await self._published(call, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """The first post is there, or it was removed; or its id is looked for, which came too late to be told."""
        if "0" not in posted(journal):
            raise Transient("not_posted", "no post is known to be out")
        if id_of(journal, 0) is None:
            await self._settling.find(call, delivery, _prepared(delivery)[0], journal)
            return await self._published(call, journal)
        try:
            await self._api.get(call, str(id_of(journal, 0)), Linked, fields="id")
        except PlatformError as error:
            if error.code in GONE:
                return Refused(error.code, "the post is no longer there", "Schedule it anew if it is wanted.")
            raise
        return await self._published(call, journal)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Ask the tried container whether it was shown; then go through what else there is to do."""
        parts = _prepared(delivery)
        if journal.facts.get("stuck"):
            return Undecided(evidence_of(journal))
        if journal.facts.get("trying") is not None:
            finding = await self._settling.settle(call, delivery, parts, journal)
            if finding is not None:
                return finding
        if len(posted(journal)) == len(parts):
            return await self._published(call, journal)
        return Absent(evidence_of(journal) | {"next": len(posted(journal))})

    async def _prepare(self, call: Call, delivery: Delivery, part: Part, journal: Journal) -> None:
        replies_to = id_of(journal, part.replies_to)
        if part.replies_to is None or replies_to is not None:
            await self._containers.prepare(call, delivery, part, journal, replies_to=replies_to)
        else:
            await self._containers.prepare_items(call, delivery, part, journal)

    async def _ready(
        self, call: Call, delivery: Delivery, part: Part, journal: Journal, pauses: Iterator[float]
    ) -> Container:
        """The container to show. The first post's was staged; a reply's is made now, and waited for within bounds."""
        if part.index == 0:
            container = Container.from_facts(journal.facts, "0")
            old = timedelta(seconds=CONTAINER_SECONDS)
            if container is None or not container.ready or container.age(call.clock.now()) >= old:
                raise Transient("not_staged", "the post is not prepared or was prepared too long ago; stage again")
            return container
        replies_to = id_of(journal, part.replies_to)
        while True:
            try:
                return await self._containers.prepare(call, delivery, part, journal, replies_to=replies_to)
            except RateLimited as error:
                seconds = next(pauses, None)
                if error.code != PROCESSING or seconds is None:
                    raise
                await self._pause(seconds)

    async def _show(self, call: Call, part: Part, container: Container, journal: Journal) -> None:
        """The one visible call of a post. The journal says so before it and what came of it after."""
        await note_attempt(call, part, container, journal)
        try:
            made = await self._api.post(call, "me/threads_publish", Made, visible=True, creation_id=container.id)
        except OutcomeUnknown as error:
            await journal.record(trying={**journal.facts["trying"], "told": error.code})
            raise
        except PlatformError as error:
            if error.code == UNSEEN:
                await self._after_unseen(call, part, container, journal)
            await journal.record(trying=None)
            raise
        await note_post(journal, part, made.id)

    async def _after_unseen(self, call: Call, part: Part, container: Container, journal: Journal) -> None:
        """The publishing call can be behind for a while: the same container is tried again, if it is not out."""
        told = await self._containers.status(call, container.id)
        if told.status == "PUBLISHED":
            raise OutcomeUnknown(UNSEEN, "Threads calls the post unknown and published at once")
        if told.status not in ("FINISHED", "IN_PROGRESS") or container.unseen >= UNSEEN_MAX:
            await forget(journal, str(part.index))
            return
        ready = told.status == "FINISHED"
        await keep(journal, str(part.index), replace(container, ready=ready, unseen=container.unseen + 1))
        await journal.record(trying=None)
        until = call.clock.now() + timedelta(seconds=UNSEEN_ASK_AGAIN_SECONDS)
        raise RateLimited("container_unseen", "Threads does not know the prepared post yet", until=until)

    async def _refuse_beyond_quota(self, call: Call, parts: list[Part]) -> None:
        """A thread is begun only if the day's replies suffice for all of it."""
        fields = "quota_usage,config" + (",reply_quota_usage,reply_config" if len(parts) > 1 else "")
        told = await self._api.get(call, "me/threads_publishing_limit", Quotas, fields=fields)
        for quota in told.data:
            posts, replies = quota.config.quota_total, quota.reply_config.quota_total
            none_left = posts is not None and quota.quota_usage + 1 > posts
            too_few = replies is not None and quota.reply_quota_usage + len(parts) - 1 > replies
            if none_left or (too_few and len(parts) > 1):
                until = call.clock.now() + timedelta(seconds=QUOTA_WAIT_SECONDS)
                per = Per.ACCOUNT if none_left else None
                raise RateLimited(
                    "quota", "the account has used up its posts or replies for the day", until=until, per=per
                )

    async def _published(self, call: Call, journal: Journal) -> Published:
        first = id_of(journal, 0)
        url = await self._reading.permalink(call, first) if first else None
        return Published(Receipt(first, url, evidence_of(journal)))


def _prepared(delivery: Delivery) -> list[Part]:
    """The posts to make. Raises the first rule they break."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    return parts_of(delivery.text, delivery.media, settings_of(delivery.settings))


def _open_parts(parts: list[Part], journal: Journal) -> Iterator[Part]:
    """Posts that are not out. One that went unanswered is left alone until it is settled."""
    trying = journal.facts.get("trying") or {}
    return (part for part in parts if str(part.index) not in posted(journal) and part.index != trying.get("index"))


def _incomplete(journal: Journal) -> OutcomeUnknown:
    number = journal.facts["stuck"]["index"] + 1
    return OutcomeUnknown("thread_incomplete", f"post {number} of the thread was refused")
