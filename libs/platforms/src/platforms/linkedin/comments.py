"""The author's first comment below their own post: posted once, looked for where it may be read, else given up.

The post is out by then, so nothing about the comment may make it look as if it were not.
"""

from __future__ import annotations

from platforms.errors import OutcomeUnknown, PlatformError, RateLimited, Transient
from platforms.linkedin.accounts import may_read
from platforms.linkedin.answers import Comments
from platforms.linkedin.api import LinkedInApi, encoded
from platforms.linkedin.limits import COMMENT_TRIES_MAX, PROCESSING_ASK_AGAIN_SECONDS
from platforms.shape import Call, Journal, Processing


class FirstComment:
    """Adds what is missing once the post itself is out."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def complete(self, call: Call, post_urn: str, text: str, journal: Journal) -> Processing | None:
        """None once the comment is there or given up, as the journal then says."""
        if not text or settled(journal):
            return None
        try:
            await self._comment(call, post_urn, text, journal)
        except (Transient, OutcomeUnknown) as error:
            return await _later(journal, error, PROCESSING_ASK_AGAIN_SECONDS)
        except RateLimited as error:
            return await _later(journal, error, (error.until - call.clock.now()).total_seconds())
        except PlatformError as error:
            await journal.record(comment_refused=error.code)
        return None

    async def _comment(self, call: Call, post_urn: str, text: str, journal: Journal) -> None:
        if journal.facts.get("comment_tried"):
            if not may_read(call.grant):
                # It may be there, and nobody lets us look: better none than two.
                await journal.record(comment_refused="comment_unknown")
                return
            known = await self._find(call, post_urn, text)
            if known is not None:
                await journal.record(comment_id=known)
                return
        await journal.record(comment_tried=True)
        body = {"actor": call.grant.account_id, "object": post_urn, "message": {"text": text}}
        try:
            made = await self._api.create(call, f"socialActions/{encoded(post_urn)}/comments", body)
        except OutcomeUnknown:
            raise
        except PlatformError:
            await journal.record(comment_tried=False)
            raise
        await journal.record(comment_id=made)

    async def _find(self, call: Call, post_urn: str, text: str) -> str | None:
        """The author's own comment with these very words."""
        listed = await self._api.get(call, f"socialActions/{encoded(post_urn)}/comments", Comments)
        own = (each for each in listed.elements if each.actor == call.grant.account_id)
        return next((each.comment_urn or each.id for each in own if each.message.text.strip() == text.strip()), None)


def settled(journal: Journal) -> bool:
    return bool(journal.facts.get("comment_id") or journal.facts.get("comment_refused"))


async def _later(journal: Journal, error: PlatformError, seconds: float) -> Processing | None:
    tries = int(journal.facts.get("comment_tries") or 0) + 1
    await journal.record(comment_tries=tries)
    if tries < COMMENT_TRIES_MAX:
        return Processing(max(seconds, 1.0))
    await journal.record(comment_refused=error.code)
    return None
