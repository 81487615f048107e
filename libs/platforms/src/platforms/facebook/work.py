"""One post on its way, with the journal's facts read the same by every way there is.

Facts: `photos` (ids by position) and `photos_at`; `video_id`, `upload_session_id`, `start_offset`, `end_offset`,
`upload_url`, `upload_at`, `uploaded`; `tried_at` (first visible call), `missed_at` (first look that found nothing),
`duplicate_at`; `post_id`, `post_url`; `comment_tries`, `comment_at`, `comment_id`, `comment_refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from kit.secret import Secret

from platforms.errors import Transient
from platforms.facebook.limits import LIST_SETTLED_SECONDS, LOOK_AGAIN_SECONDS, LOOK_BACK_SECONDS, UNPUBLISHED_HOURS
from platforms.facebook.settings import FacebookSettings
from platforms.shape import Absent, Call, Delivery, Finding, Journal, Media, Outcome, Published, Receipt


@dataclass(frozen=True)
class Work:
    """A delivery that keeps the rules, with its settings read."""

    call: Call
    delivery: Delivery
    settings: FacebookSettings
    journal: Journal

    @property
    def page(self) -> str:
        return self.call.grant.account_id

    @property
    def media(self) -> Media:
        """The one file of a video, reel or story."""
        (only,) = self.delivery.media
        return only

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.journal.facts

    @property
    def now(self) -> datetime:
        return self.call.clock.now()

    @property
    def post_id(self) -> str | None:
        return self.facts.get("post_id")

    def moment(self, name: str) -> datetime | None:
        value = self.facts.get(name)
        return datetime.fromisoformat(value) if value else None

    def secret(self, name: str) -> str | None:
        """A secret fact, which comes back as text or as a `Secret`."""
        value = self.facts.get(name)
        return value.reveal() if isinstance(value, Secret) else value

    def is_fresh(self, name: str) -> bool:
        """True if what was put there at that moment is kept by Facebook still."""
        moment = self.moment(name)
        return moment is not None and self.now - moment < timedelta(hours=UNPUBLISHED_HOURS)

    @property
    def tried_at(self) -> datetime | None:
        """When the visible call was first made, if it was. Its effect may show up in the lists later."""
        tries = self.delivery.tries
        return self.moment("tried_at") or (tries.first_at if tries else None)

    @property
    def again(self) -> bool:
        """Whether an earlier visible call may have had its effect. Asked before `trying`."""
        tries = self.delivery.tries
        return self.moment("tried_at") is not None if tries is None else tries.count > 1

    @property
    def looked_since(self) -> int:
        """From when on a list can hold this post, in Unix seconds."""
        tried = self.tried_at or self.now
        return int((tried - timedelta(seconds=LOOK_BACK_SECONDS)).timestamp())

    async def trying(self) -> None:
        """Note that the visible call comes next, unless our caller has noted it."""
        if self.delivery.tries is None or self.facts.get("missed_at"):
            await self.journal.record(tried_at=(self.tried_at or self.now).isoformat(), missed_at=None)

    async def posted(self, post_id: str | None, url: str | None, **evidence: Any) -> Published:
        """Note the post, so that nothing makes it visible a second time; who counts tries keeps the answer as well.

        What is to be commented is noted in any case. Short ids are made whole with the Page's.
        """
        if post_id is not None and "_" not in post_id:
            post_id = f"{self.page}_{post_id}"
        if post_id is not None and (self.settings.first_comment or self.delivery.tries is None):
            await self.journal.record(post_id=post_id, post_url=url)
        return Published(Receipt(post_id, url, evidence))

    async def not_found(self, **evidence: Any) -> Absent:
        """Believe a list without the post at the second look, when it had its time; until then look again."""
        missed, tried = self.moment("missed_at"), self.tried_at
        if tried is None:
            return Absent({"reason": "no call that shows a post was made"})
        if missed is None:
            await self.journal.record(missed_at=self.now.isoformat())
        else:
            twice = self.now - missed >= timedelta(seconds=LOOK_AGAIN_SECONDS)
            if twice and self.now - tried >= timedelta(seconds=LIST_SETTLED_SECONDS):
                return Absent(evidence | {"tried_at": tried.isoformat(), "looked": 2})
        raise Transient("look_again", "the Page's list does not have the post yet; it lags behind, so look again")


class Way(Protocol):
    """How one kind of post gets to the Page; see `platforms.composed.Posting`."""

    async def stage(self, work: Work) -> None: ...

    async def publish(self, work: Work) -> Outcome: ...

    async def status(self, work: Work) -> Outcome: ...

    async def reconcile(self, work: Work) -> Finding: ...


def words(text: str) -> str:
    """A text as Facebook keeps it: white space at the ends and doubled spaces are not sure to survive."""
    return " ".join(text.split())
