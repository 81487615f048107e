"""A post's way to Instagram: containers, one call that publishes, then perhaps the first comment.

Instagram knows no key of ours, but a container can be published only once and says when it was. So every doubt about
the call is settled by its container; the account's list is read only to learn which post came of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import OutcomeUnknown, PlatformError, Rejected, Transient
from platforms.forgiving import hear, is_unheard
from platforms.instagram.answers import Container, Made
from platforms.instagram.comments import Comments
from platforms.instagram.containers import Containers, give_up, is_old
from platforms.instagram.errors import GONE, INSTAGRAM_ERRORS, SPAM
from platforms.instagram.limits import SETTLED_SECONDS
from platforms.instagram.looking import Looking
from platforms.instagram.rules import prepared
from platforms.instagram.settings import InstagramSettings
from platforms.meta.graph import Graph
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Outcome,
    Processing,
    Published,
    Receipt,
    Refused,
    Undecided,
)


class Posting:
    """The publishing half of the Instagram client."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._containers = Containers(graph)
        self._looking = Looking(graph)
        self._comments = Comments(graph, self._looking)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Have Instagram fetch and process every file. Nothing is to be done for a post that is out."""
        settings = prepared(delivery)
        if is_unheard(delivery, journal):
            await self._hear(call, delivery, settings, journal)
        if not _is_out(journal):
            await self._containers.bring(call, delivery, settings, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Publish the container, then write the first comment; each goes on behind what is known to be done."""
        settings = prepared(delivery)
        if not _is_out(journal):
            await self._show(call, delivery, settings, journal)
        await self._comments.write(call, settings, journal)
        return await self._published(call, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """The same look as after an unanswered call: publishing itself is done when it is answered."""
        match await self.reconcile(call, delivery, journal):
            case Absent():
                return Refused("not_published", "Instagram did not publish the post", "Try again.", repeatable=True)
            case Undecided():
                return Processing(SETTLED_SECONDS)
            case known:
                return known

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Ask the container whether it was published, and the list what came of it; what is proved is noted."""
        settings = prepared(delivery)
        if not journal.facts.get("tried_at"):
            return Absent({"reason": "publishing was never asked for", **_evidence(journal)})
        if not _is_out(journal):
            unproved = await self._settle(call, delivery, settings, journal)
            if unproved is not None:
                return unproved
        elif not journal.facts.get("media_id"):
            await self._identify(call, delivery, settings, journal)
        if await self._comments.is_missing(call, settings, journal):
            return Absent(_evidence(journal) | {"first_comment": "missing"})
        return await self._published(call, journal)

    async def _hear(self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal) -> None:
        """A person says that it is not there. Only of a container that is gone nobody else can tell."""
        if journal.facts.get("tried_at") and not _is_out(journal) and await self._look(call, journal) is None:
            await self._identify(call, delivery, settings, journal)
            if not _is_out(journal):
                await give_up(journal)
        await hear(delivery, journal)

    async def _show(self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal) -> None:
        """The call that makes the post visible. One that was made before is looked after first."""
        facts = journal.facts
        if not facts.get("container") or is_old(facts, call.clock.now()):
            raise Transient("not_staged", "nothing is prepared that could be published; stage again")
        if facts.get("tried_at"):
            standing = await self._containers.look(call, facts["container"])
            if standing.status_code == "PUBLISHED":
                await self._note_published(call, delivery, settings, journal)
                return
            if standing.status_code != "FINISHED":
                raise Transient("not_ready", "what is prepared cannot be published; stage again")
        now = call.clock.now().isoformat()
        await journal.record(tried_at=facts.get("tried_at") or now, last_tried_at=now, answered=None)
        path = f"{call.grant.account_id}/media_publish"
        try:
            made = await self._graph.post(call, path, Made, visible=True, creation_id=facts["container"])
        except OutcomeUnknown as error:
            await journal.record(answered=error.code)
            raise
        await journal.record(media_id=made.id)

    async def _settle(
        self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal
    ) -> Finding | None:
        """None once the post is proved to be out, else what can be said by now."""
        standing = await self._look(call, journal)
        if standing is None or standing.status_code == "PUBLISHED":
            return await self._proved(call, delivery, settings, journal, standing)
        waited = call.clock.now() - datetime.fromisoformat(journal.facts["last_tried_at"])
        if waited < timedelta(seconds=SETTLED_SECONDS):
            raise Transient("not_settled_yet", "the container is not published yet, which may still change")
        evidence = _evidence(journal) | {"container_status": standing.status_code}
        alike = await self._alike(call, delivery, settings, journal)
        if alike:
            return Undecided(evidence | {"alike": alike, "reason": "a post like it is there, of another container"})
        if journal.facts.get("answered") == SPAM:
            row = INSTAGRAM_ERRORS[4, 2207051]
            return Refused(SPAM, row.detail, row.advice)
        return Absent(evidence)

    async def _proved(
        self,
        call: Call,
        delivery: Delivery,
        settings: InstagramSettings,
        journal: Journal,
        standing: Container | None,
    ) -> Finding | None:
        """What a published container proves, and what can be said without it."""
        if standing is not None:
            await self._note_published(call, delivery, settings, journal)
            return None
        await self._identify(call, delivery, settings, journal)
        if journal.facts.get("media_id"):
            return None
        return Undecided(_evidence(journal) | {"reason": "the container is gone, and no post is certainly this one"})

    async def _look(self, call: Call, journal: Journal) -> Container | None:
        """The container, None if it is gone."""
        container_id = journal.facts.get("container")
        if container_id is None:
            return None
        try:
            return await self._containers.look(call, container_id)
        except Rejected as error:
            if error.code in GONE:
                return None
            raise

    async def _note_published(
        self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal
    ) -> None:
        await journal.record(published=True)
        await self._identify(call, delivery, settings, journal)

    async def _identify(self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal) -> None:
        """Learn the post's id, if exactly one post can be it: two that look alike are not told apart."""
        alike = await self._alike(call, delivery, settings, journal)
        if len(alike) == 1:
            await journal.record(media_id=alike[0])

    async def _alike(self, call: Call, delivery: Delivery, settings: InstagramSettings, journal: Journal) -> list[str]:
        since = datetime.fromisoformat(journal.facts["tried_at"])
        return [medium.id for medium in await self._looking.posts(call, delivery, settings, since=since)]

    async def _published(self, call: Call, journal: Journal) -> Published:
        """The receipt. A post that is out stays out, whatever becomes of the question for its address."""
        media_id, url = journal.facts.get("media_id"), journal.facts.get("permalink")
        if media_id and not url:
            with contextlib.suppress(PlatformError):
                url = await self._looking.permalink(call, media_id)
                await journal.record(permalink=url)
        return Published(Receipt(media_id, url, _evidence(journal)))


def _is_out(journal: Journal) -> bool:
    return bool(journal.facts.get("media_id") or journal.facts.get("published"))


def _evidence(journal: Journal) -> dict[str, Any]:
    facts: Mapping[str, Any] = journal.facts
    names = ("container", "media_id", "tried_at", "answered", "comment_id", "comment_refused")
    return {name: facts[name] for name in names if facts.get(name)}
