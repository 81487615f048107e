"""The Page's first comment below its own post: posted once, looked for whenever its answer was lost.

The post is out by then, so nothing about the comment may make it look as if it were not.
"""

from __future__ import annotations

from datetime import timedelta

from platforms.errors import OutcomeUnknown, PlatformError, RateLimited, Transient
from platforms.facebook.answers import Comment, Made
from platforms.facebook.limits import COMMENT_TRIES_MAX, PROCESSING_ASK_AGAIN_SECONDS
from platforms.facebook.work import Work, words
from platforms.meta.graph import Graph
from platforms.shape import Outcome, Processing, Published, Receipt

COMMENTS_MAX = 100
ID_WAIT_MAX = timedelta(hours=1)


class FirstComment:
    """Adds what is missing after the post itself is published."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def complete(self, work: Work, outcome: Outcome) -> Outcome:
        """The outcome once the comment is there too, or given up; `Processing` until then."""
        if not isinstance(outcome, Published) or not work.settings.first_comment:
            return outcome
        if work.post_id is None and not await self._given_up(work):
            return Processing(PROCESSING_ASK_AGAIN_SECONDS)
        if not self._settled(work):
            try:
                await self._comment(work)
            except (Transient, OutcomeUnknown) as error:
                return await self._later(work, error, PROCESSING_ASK_AGAIN_SECONDS)
            except RateLimited as error:
                return await self._later(work, error, (error.until - work.now).total_seconds())
            except PlatformError as error:
                await work.journal.record(comment_refused=error.code)
        return _with_comment(work, outcome.receipt)

    def must_comment(self, work: Work) -> bool:
        """True if the post is only half of what was approved."""
        return bool(work.settings.first_comment) and not self._settled(work)

    async def _given_up(self, work: Work) -> bool:
        """A comment needs the post's id, which can come late; some never come, and then the post stands alone."""
        tried = work.tried_at
        if tried is None or work.now - tried < ID_WAIT_MAX:
            return False
        await work.journal.record(comment_refused="post_id_unknown")
        return True

    @staticmethod
    def _settled(work: Work) -> bool:
        return bool(work.facts.get("comment_id") or work.facts.get("comment_refused"))

    async def _comment(self, work: Work) -> None:
        if work.facts.get("comment_at"):
            known = await self._find(work)
            if known is not None:
                await work.journal.record(comment_id=known)
                return
        await work.journal.record(comment_at=work.now.isoformat())
        made = await self._graph.post(
            work.call, f"{work.post_id}/comments", Made, visible=True, message=work.settings.first_comment
        )
        await work.journal.record(comment_id=made.id)

    async def _find(self, work: Work) -> str | None:
        """The Page's own comment with these very words."""
        listed = self._graph.every(
            work.call,
            f"{work.post_id}/comments",
            Comment,
            pages_max=1,
            fields="id,message,from{id}",
            filter="stream",
            limit=COMMENTS_MAX,
        )
        async for comment in listed:
            by_page = comment.author is None or comment.author.id == work.page
            if by_page and words(comment.message) == words(work.settings.first_comment):
                return comment.id
        return None

    async def _later(self, work: Work, error: PlatformError, seconds: float) -> Outcome:
        tries = int(work.facts.get("comment_tries") or 0) + 1
        await work.journal.record(comment_tries=tries)
        if tries < COMMENT_TRIES_MAX:
            return Processing(max(seconds, 1.0))
        await work.journal.record(comment_refused=error.code)
        return _with_comment(work, Receipt(work.post_id, work.facts.get("post_url"), {}))


def _with_comment(work: Work, receipt: Receipt) -> Published:
    comment_id, refused = work.facts.get("comment_id"), work.facts.get("comment_refused")
    told = {"first_comment_id": comment_id} if comment_id else {"first_comment_refused": refused}
    return Published(Receipt(receipt.post_id, receipt.url, dict(receipt.evidence) | told))
