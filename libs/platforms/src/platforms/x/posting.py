"""A post's way to X: files first, then one call for each post of the thread.

X knows no key of ours. So the journal says before each call which post is tried and since when; without an answer
the account's own list is searched for it, and nothing is tried again before it has been missing there twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import Misconfigured, OutcomeUnknown, PlatformError, Rejected, Transient
from platforms.forgiving import hear, is_unheard
from platforms.shape import (
    Absent,
    Call,
    Delivery,
    Finding,
    Journal,
    Outcome,
    Published,
    Receipt,
    Refused,
    Undecided,
)
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.endpoints import XEndpoints
from platforms.x.errors import DUPLICATE, MEDIA_INVALID
from platforms.x.limits import LISTING_LAG_SECONDS
from platforms.x.looking import Looking, Wanted
from platforms.x.plan import Part, body_of, parts_of, settings_of
from platforms.x.reading import Reading
from platforms.x.rules import check
from platforms.x.settings import XSettings
from platforms.x.upload import Stored, Uploads, forget


class Posting:
    """The publishing half of the X client."""

    def __init__(self, endpoints: XEndpoints, api: XApi, reading: Reading) -> None:
        self._web = endpoints.web
        self._api = api
        self._reading = reading
        self._uploads = Uploads(api)
        self._looking = Looking(api)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Bring every file that a post still to be made needs; return when X has processed them all."""
        settings, parts = _prepared(delivery)
        if is_unheard(delivery, journal):
            await self._hear(call, delivery, parts, settings, journal)
        if settings.premium and not journal.facts.get("premium"):
            await self._refuse_without_premium(call)
            await journal.record(premium=True)
        positions = [position for part in _open(parts, journal) for position in part.media]
        for position in positions:
            await self._uploads.bring(call, delivery.media[position], position, journal)
        for position in positions:
            await self._uploads.wait(call, position, journal)

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Make the posts one after the other, going on behind the last one that is known to be out."""
        settings, parts = _prepared(delivery)
        for part in _open(parts, journal):
            await self._make(call, part, settings, journal)
        return self._published(call, journal)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """X knows no processing of posts: the first one is there, or it was removed."""
        post_id = _posted(journal).get("0")
        if post_id is None:
            raise Transient("not_posted", "no post is known to be out")
        page = await self._api.get_whole(call, "tweets", answers.Posts, query={"ids": post_id})
        if any(post.id == post_id for post in page.data):
            return self._published(call, journal)
        return Refused("resource-not-found", "the post is no longer there", "Schedule it anew if it is wanted.")

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Look for the post whose call went unanswered. What it proves is noted, so that publishing goes on from it."""
        settings, parts = _prepared(delivery)
        if journal.facts.get("stuck"):
            return Undecided(_evidence(journal) | {"refused": journal.facts["stuck"]})
        trying = journal.facts.get("trying")
        if trying is not None:
            missing = await self._settle(call, parts[trying["index"]], settings, journal)
            if missing is not None:
                return missing
        still_open = _open(parts, journal)
        if not still_open:
            return self._published(call, journal)
        return Absent(_evidence(journal) | {"next": still_open[0].index})

    async def _hear(
        self, call: Call, delivery: Delivery, parts: Sequence[Part], settings: XSettings, journal: Journal
    ) -> None:
        """A person says that it is not there. What X lists by now is out all the same."""
        trying = journal.facts.get("trying")
        if trying is not None:
            with contextlib.suppress(OutcomeUnknown):
                await self._find(call, parts[trying["index"]], settings, journal)
        await hear(delivery, journal, trying=None, looked_at=None, duplicate=None, stuck=None)

    async def _make(self, call: Call, part: Part, settings: XSettings, journal: Journal) -> None:
        """One visible call. The journal says so before it and what came of it after."""
        if journal.facts.get("trying") is not None and not await self._find(call, part, settings, journal):
            raise OutcomeUnknown("unresolved", "an earlier attempt at this post went unanswered")
        if str(part.index) in _posted(journal):
            return
        body = _body(call, part, settings, journal)
        earlier = str(part.index) in (journal.facts.get("first_tried") or {})
        await _note_attempt(call, part, journal)
        try:
            created = await self._api.post(call, "tweets", body, answers.Created, visible=True)
        except OutcomeUnknown:
            raise
        except PlatformError as error:
            if earlier and error.code == DUPLICATE:
                await self._explain_duplicate(call, part, settings, journal)
                return
            await _forget_attempt(part, journal, all_of_them=not earlier)
            if await _after_refusal(error, part, journal):
                return
            raise
        await _note_post(journal, part, created.id)

    async def _settle(self, call: Call, part: Part, settings: XSettings, journal: Journal) -> Finding | None:
        """None once it is known whether the tried post is out, else what can be said by now."""
        try:
            if await self._find(call, part, settings, journal):
                return None
        except OutcomeUnknown as error:
            return Undecided(_evidence(journal) | {"reason": error.detail})
        if journal.facts.get("duplicate"):
            return Undecided(_evidence(journal) | {"reason": "X knows the same text but does not list it"})
        now, looked_at = call.clock.now(), journal.facts.get("looked_at")
        if looked_at is None:
            await journal.record(looked_at=now.isoformat())
        if looked_at is None or now - datetime.fromisoformat(looked_at) < timedelta(seconds=LISTING_LAG_SECONDS):
            raise Transient("not_listed_yet", "the post is not in the account's list, which may be behind")
        await journal.record(trying=None, looked_at=None)
        return None

    async def _find(self, call: Call, part: Part, settings: XSettings, journal: Journal) -> bool:
        """Look for a tried post and note it if it is out. Raises `OutcomeUnknown` if the list is too long to tell."""
        since = datetime.fromisoformat(journal.facts["first_tried"][str(part.index)])
        wanted, known = _wanted(call, part, settings, journal), _posted(journal).values()
        new = await self._looking.find(call, wanted, since=since, known=known)
        if new is None:
            return False
        await _note_post(journal, part, new)
        return True

    async def _explain_duplicate(self, call: Call, part: Part, settings: XSettings, journal: Journal) -> None:
        """X refuses what it has: then an earlier attempt may have come through, although nobody answered."""
        if not await self._find(call, part, settings, journal):
            await journal.record(duplicate=True)
            raise OutcomeUnknown(DUPLICATE, "X says that the same text was posted lately, but does not list it")

    async def _refuse_without_premium(self, call: Call) -> None:
        user = await self._reading.user(call)
        if (user.subscription_type or "None") in ("None", "Basic"):
            raise Rejected(
                "premium_missing",
                "the account has no X Premium, which long texts and videos need",
                advice="Shorten the post, or subscribe the account to X Premium.",
            )

    def _published(self, call: Call, journal: Journal) -> Published:
        username = call.grant.extra.get("username")
        first = _posted(journal)["0"]
        author = username.reveal() if username else "i"
        return Published(Receipt(first, f"{self._web}/{author}/status/{first}", _evidence(journal)))


def _prepared(delivery: Delivery) -> tuple[XSettings, list[Part]]:
    """The typed settings and the posts to make, or the first rule they break."""
    broken = check(text=delivery.text, media=delivery.media, settings=delivery.settings)
    if broken:
        raise Rejected(broken[0].code, broken[0].detail, advice="Change the post and have it approved again.")
    settings = settings_of(delivery.settings)
    return settings, parts_of(delivery.text, delivery.media, settings)


def _body(call: Call, part: Part, settings: XSettings, journal: Journal) -> dict[str, Any]:
    stored = [Stored.from_facts(journal.facts, position, call.clock.now()) for position in part.media]
    if any(item is None or not item.ready for item in stored):
        raise Transient("not_staged", "a file of the post is not at X or has expired; stage again")
    ids = [item.id for item in stored if item]
    return body_of(part, settings, media_ids=ids, replies_to=_replies_to(part, settings, journal))


def _replies_to(part: Part, settings: XSettings, journal: Journal) -> str | None:
    return settings.reply_to_post_id if part.replies_to is None else _posted(journal)[str(part.replies_to)]


def _wanted(call: Call, part: Part, settings: XSettings, journal: Journal) -> Wanted:
    known = journal.facts.get("media") or {}
    keys = (known.get(str(position), {}).get("key") for position in part.media)
    return Wanted(
        text=part.text,
        media_keys=frozenset(key for key in keys if key),
        media_count=len(part.media),
        replies_to=_replies_to(part, settings, journal),
        quotes=None if part.index else settings.quote_post_id,
    )


async def _note_attempt(call: Call, part: Part, journal: Journal) -> None:
    tried = dict(journal.facts.get("first_tried") or {})
    tried.setdefault(str(part.index), call.clock.now().isoformat())
    await journal.record(trying={"index": part.index}, first_tried=tried)


async def _forget_attempt(part: Part, journal: Journal, *, all_of_them: bool) -> None:
    """X refused this attempt, so it showed nothing; an earlier one that went unanswered stays on record."""
    tried = dict(journal.facts["first_tried"])
    if all_of_them:
        del tried[str(part.index)]
    await journal.record(trying=None, first_tried=tried)


async def _note_post(journal: Journal, part: Part, post_id: str) -> None:
    await journal.record(posts={**_posted(journal), str(part.index): post_id}, trying=None, looked_at=None)


async def _after_refusal(error: PlatformError, part: Part, journal: Journal) -> bool:
    """True if the delivery goes on without this post.

    What X knows no more is sent again, once. A thread that cannot go on is for a person, because part of it is out.
    """
    if error.code == MEDIA_INVALID and not journal.facts.get("media_refused"):
        await journal.record(media_refused=True)
        await forget(journal, *part.media)
        raise Transient(MEDIA_INVALID, "X no longer knows a file of the post; it is sent again") from None
    if not isinstance(error, Rejected | Misconfigured) or not part.index:
        return False
    refused = {"index": part.index, "code": error.code, "detail": error.detail}
    if part.optional:
        await journal.record(comment_refused=refused)
        return True
    await journal.record(stuck=refused)
    raise OutcomeUnknown("thread_incomplete", f"post {part.index + 1} of the thread was refused") from None


def _open(parts: Sequence[Part], journal: Journal) -> list[Part]:
    """The posts that are still to be made."""
    refused = journal.facts.get("comment_refused")
    return [part for part in parts if str(part.index) not in _posted(journal) and not (part.optional and refused)]


def _posted(journal: Journal) -> Mapping[str, str]:
    """Ids of the posts that are out, by their index in the thread (as text, because JSON has no other keys)."""
    return journal.facts.get("posts") or {}


def _evidence(journal: Journal) -> dict[str, Any]:
    evidence = {"posts": dict(_posted(journal)), "first_tried": dict(journal.facts.get("first_tried") or {})}
    refused = journal.facts.get("comment_refused")
    return evidence | ({"comment_refused": refused} if refused else {})
