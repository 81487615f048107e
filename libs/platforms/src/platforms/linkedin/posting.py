"""A post's way to LinkedIn: files go ahead unseen, one call makes the post visible, a first comment follows.

LinkedIn knows no key of ours, but for some minutes it refuses what says the same as an earlier post and names that one.
An organisation's posts can be read back, so a lost answer is looked up. A member's cannot: there a doubt is for a
person to decide, and a repetition that is refused as duplicate of a post no older than our attempt proves the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import OutcomeUnknown, PlatformError, Rejected, Transient
from platforms.forgiving import WORKING_MAX, hear, is_unheard
from platforms.linkedin import limits
from platforms.linkedin.accounts import is_organisation, may_read
from platforms.linkedin.api import LinkedInApi
from platforms.linkedin.body import body_of
from platforms.linkedin.comments import FirstComment
from platforms.linkedin.endpoints import LinkedInEndpoints
from platforms.linkedin.errors import Duplicate
from platforms.linkedin.looking import Looking, is_older, made_at, says_the_same, shows_the_same
from platforms.linkedin.rules import check
from platforms.linkedin.settings import LinkedInSettings, settings_of
from platforms.linkedin.uploads import Uploads, urns_of
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

_CHANGE = "Change the post and have it approved again."


class Posting:
    """The publishing half of the LinkedIn client."""

    def __init__(self, endpoints: LinkedInEndpoints, api: LinkedInApi) -> None:
        self._web = endpoints.web
        self._api = api
        self._uploads = Uploads(api)
        self._looking = Looking(api)
        self._comment = FirstComment(api)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Bring every file to where a post can name it."""
        _checked(call, delivery)
        if is_unheard(delivery, journal):
            await self._hear(call, delivery, journal)
        if journal.facts.get("post_urn"):
            return
        for position, media in enumerate(delivery.media):
            await self._uploads.bring(call, media, position, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        settings = _checked(call, delivery)
        if not journal.facts.get("post_urn"):
            body = _body(call, delivery, settings, journal)
            await self._make(call, body, journal)
        return await self._complete(call, settings, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Read the post back where that is permitted; a member's is believed to be out since it was accepted."""
        if not journal.facts.get("post_urn"):
            raise Transient("not_posted", "no post is known to be out")
        return await self._complete(call, settings_of(delivery.settings), journal, ask=True)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        settings = _checked(call, delivery)
        if journal.facts.get("post_urn"):
            return await self._complete(call, settings, journal, ask=True)
        first = journal.facts.get("first_tried")
        if first is None:
            return Absent({"tried": None})
        evidence = _evidence(call, journal)
        if not may_read(call.grant):
            reason = "LinkedIn lets nobody read a member's posts; within minutes it refuses a repetition as duplicate"
            return Undecided(evidence | {"reason": reason})
        return await self._look(call, delivery, settings, journal, evidence)

    async def _look(
        self, call: Call, delivery: Delivery, settings: LinkedInSettings, journal: Journal, evidence: dict[str, Any]
    ) -> Finding:
        since = _moment(journal, "first_tried")
        body = _body(call, delivery, settings, journal)
        alike, complete = await self._looking.find(call, body, since=since)
        found = [post for post in alike if shows_the_same(post, body)]
        if len(found) == 1:
            await journal.record(post_urn=found[0].id)
            return await self._complete(call, settings, journal, ask=True)
        if alike:
            # Perhaps a twin, perhaps ours with its files under other names than we know.
            return Undecided(evidence | {"posts": [post.id for post in alike]})
        if not complete:
            return Undecided(evidence | {"reason": "the author's list is too long"})
        if call.clock.now() - _moment(journal, "last_tried") < timedelta(seconds=limits.LISTING_SETTLED_SECONDS):
            raise Transient("not_listed_yet", "the post is not in the author's list, which may be behind")
        return Absent(evidence | {"looked": "the author's list"})

    async def _hear(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """A person says that it is not there. A post that LinkedIn took and does not show is made anew."""
        dropped: dict[str, Any] = {}
        if (urn := journal.facts.get("post_urn")) and may_read(call.grant) and not journal.facts.get("seen"):
            standing = await self._seen(call, urn, journal)
            age = call.clock.now() - _moment(journal, "last_tried")
            if isinstance(standing, Refused) or (isinstance(standing, Processing) and age >= WORKING_MAX):
                dropped = {"post_urn": None, "adopted": None}
        await hear(delivery, journal, **dropped)

    async def _make(self, call: Call, body: Mapping[str, Any], journal: Journal) -> None:
        """The one visible call. The journal says so before it and what came of it after."""
        before = journal.facts.get("first_tried")
        now = call.clock.now().isoformat()
        await journal.record(first_tried=before or now, last_tried=now)
        try:
            made = await self._api.create(call, "posts", body)
        except OutcomeUnknown:
            raise
        except Duplicate as error:
            adopted = await self._adopted(call, error, body, journal) if before else None
            if adopted is None:
                await journal.record(first_tried=before)
                raise
            await journal.record(post_urn=adopted, adopted=True)
            return
        except PlatformError:
            # Refused, so this attempt showed nothing; an earlier one that went unanswered stays on record.
            await journal.record(first_tried=before)
            raise
        await journal.record(post_urn=made)

    async def _adopted(self, call: Call, error: Duplicate, body: Mapping[str, Any], journal: Journal) -> str | None:
        """The post that an earlier attempt made, if the refusal names it and nothing speaks against it."""
        urn, since = error.post_urn, _moment(journal, "first_tried")
        if urn is None:
            raise OutcomeUnknown(error.code, "LinkedIn has the same post but does not say which") from None
        if is_older(made_at(urn), since):
            return None
        if may_read(call.grant):
            post = await self._looking.by_urn(call, urn)
            # LinkedIn goes on naming a post for a day or two after it was removed.
            if post is None or is_older(post.time, since) or not says_the_same(post, body):
                return None
        return urn

    async def _complete(
        self, call: Call, settings: LinkedInSettings, journal: Journal, *, ask: bool = False
    ) -> Outcome:
        """What became of an accepted post, and its first comment."""
        urn = journal.facts["post_urn"]
        if may_read(call.grant) and not journal.facts.get("seen"):
            waiting = await self._seen(call, urn, journal) if ask else Processing(limits.CONFIRM_SECONDS)
            if waiting is not None:
                return waiting
        waiting = await self._comment.complete(call, urn, settings.first_comment, journal)
        if waiting is not None:
            return waiting
        return Published(Receipt(urn, f"{self._web}/feed/update/{urn}/", _evidence(call, journal)))

    async def _seen(self, call: Call, urn: str, journal: Journal) -> Outcome | None:
        """None once LinkedIn shows the post. It accepts posts that it then fails to show."""
        post = await self._looking.by_urn(call, urn)
        if post is None:
            if call.clock.now() - _moment(journal, "last_tried") < timedelta(seconds=limits.LISTING_SETTLED_SECONDS):
                return Processing(limits.PROCESSING_ASK_AGAIN_SECONDS)
            return Refused("NOT_FOUND", "the post is no longer there", "Schedule it anew if it is wanted.")
        if post.lifecycle_state == "PUBLISH_FAILED":
            return Refused("PUBLISH_FAILED", "LinkedIn took the post but could not show it", _CHANGE)
        if post.lifecycle_state == "PUBLISH_REQUESTED":
            return Processing(limits.PROCESSING_ASK_AGAIN_SECONDS, _evidence(call, journal))
        await journal.record(seen=True)
        return None


def _checked(call: Call, delivery: Delivery) -> LinkedInSettings:
    """The typed settings, or the first rule the post breaks."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice=_CHANGE)
    settings = settings_of(delivery.settings)
    if is_organisation(call.grant.account_id) and settings.visibility == "CONNECTIONS":
        raise Rejected("visibility", "an organisation has no connections to show a post to", advice=_CHANGE)
    return settings


def _body(call: Call, delivery: Delivery, settings: LinkedInSettings, journal: Journal) -> dict[str, Any]:
    return body_of(call.grant.account_id, delivery, settings, urns_of(journal.facts, len(delivery.media)))


def _moment(journal: Journal, name: str) -> datetime:
    return datetime.fromisoformat(journal.facts[name])


def _evidence(call: Call, journal: Journal) -> dict[str, Any]:
    names = ("post_urn", "first_tried", "last_tried", "adopted", "seen", "comment_id", "comment_refused")
    told = {name: journal.facts[name] for name in names if journal.facts.get(name)}
    return {"author": call.grant.account_id} | told
