"""The first comment: written once, below a post that is out. Nothing that befalls it makes the post a failed one."""

from __future__ import annotations

from datetime import datetime, timedelta

from platforms.errors import Misconfigured, ReauthorisationNeeded, Rejected, Transient
from platforms.instagram.answers import Made
from platforms.instagram.limits import COMMENT_TRIES_MAX, SETTLED_SECONDS
from platforms.instagram.looking import Looking
from platforms.instagram.settings import InstagramSettings
from platforms.meta.graph import Graph
from platforms.shape import Call, Journal


class Comments:
    """Writes one comment and finds it again."""

    def __init__(self, graph: Graph, looking: Looking) -> None:
        self._graph = graph
        self._looking = looking

    async def write(self, call: Call, settings: InstagramSettings, journal: Journal) -> None:
        """Write the comment, unless it is there, was refused or failed too often: then the journal says so."""
        if not _is_due(settings, journal):
            return
        try:
            if journal.facts.get("comment_tried_at") and await self._find(call, settings, journal):
                return
            tries = journal.facts.get("comment_tries", 0)
            if tries >= COMMENT_TRIES_MAX:
                await journal.record(comment_refused="too_many_tries")
                return
            now = call.clock.now().isoformat()
            first_tried_at = journal.facts.get("comment_tried_at") or now
            await journal.record(comment_tries=tries + 1, comment_tried_at=first_tried_at, comment_last_tried_at=now)
            path = f"{journal.facts['media_id']}/comments"
            made = await self._graph.post(call, path, Made, visible=True, message=settings.first_comment)
            await journal.record(comment_id=made.id)
        except (Rejected, ReauthorisationNeeded, Misconfigured) as error:
            await journal.record(comment_refused=error.code)

    async def is_missing(self, call: Call, settings: InstagramSettings, journal: Journal) -> bool:
        """True if the comment is still to be written; what is found instead is noted.

        Raises `Transient` while a comment that was asked for may still appear in the list.
        """
        if not _is_due(settings, journal):
            return False
        if not journal.facts.get("comment_tried_at"):
            return True
        try:
            if await self._find(call, settings, journal):
                return False
        except Rejected as error:
            await journal.record(comment_refused=error.code)
            return False
        waited = call.clock.now() - datetime.fromisoformat(journal.facts["comment_last_tried_at"])
        if waited < timedelta(seconds=SETTLED_SECONDS):
            raise Transient("comment_not_listed_yet", "the comment is not in the list, which may be behind")
        return True

    async def _find(self, call: Call, settings: InstagramSettings, journal: Journal) -> bool:
        since = datetime.fromisoformat(journal.facts["comment_tried_at"])
        media_id = journal.facts["media_id"]
        found = await self._looking.comment(call, media_id, settings.first_comment, since=since)
        if found is None:
            return False
        await journal.record(comment_id=found.id)
        return True


def _is_due(settings: InstagramSettings, journal: Journal) -> bool:
    """A post whose id is not known cannot be commented on."""
    facts = journal.facts
    done = facts.get("comment_id") or facts.get("comment_refused")
    return bool(settings.first_comment and facts.get("media_id") and not done)
