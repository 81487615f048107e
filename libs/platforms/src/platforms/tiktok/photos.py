"""A photo post's way to TikTok: one call names the images' addresses, and TikTok fetches them and posts by itself.

So that call is the visible step, and nothing can be uploaded before it. With its answer comes the `publish_id`,
which settles every later doubt. Without one only the account's list of public posts can be looked at. What is in it
is proof; what is not may be private, not moderated yet, or left out because it is no video, so it proves nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from platforms.errors import OutcomeUnknown, PlatformError, Rejected, Transient
from platforms.forgiving import WORKING_MAX, hear, is_unheard
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
    Undecided,
)
from platforms.tiktok.answers import Listed, Listing, Started, Status
from platforms.tiktok.api import TikTokApi
from platforms.tiktok.endpoints import TikTokEndpoints
from platforms.tiktok.limits import (
    LISTING_BEFORE_SECONDS,
    LISTING_MAX,
    LISTING_SECONDS,
    PROCESSING_ASK_AGAIN_SECONDS,
)
from platforms.tiktok.preparing import ask_creator, prepared
from platforms.tiktok.settings import TikTokSettings
from platforms.tiktok.standing import Standing

LISTED_WORDS_MIN = 75
"""The list cuts words after 150 UTF-16 units, which are 75 characters at least."""


class Photos:
    """Satisfies `platforms.composed.Posting` for 1 to 35 images."""

    def __init__(self, endpoints: TikTokEndpoints) -> None:
        self._api = TikTokApi(endpoints)
        self._standing = Standing(endpoints)

    async def stage(self, call: Call, delivery: Delivery, journal: Journal) -> None:
        """Ask what the account offers, and whether this installation has addresses for TikTok at all.

        An earlier start that TikTok gave up is forgotten; its id stays as evidence.
        """
        settings = prepared(delivery)
        if is_unheard(delivery, journal):
            lost = await self._is_lost(call, delivery, journal)
            await hear(delivery, journal, **(_without_start(journal) if lost else {}))
        publish_id = journal.facts.get("publish_id")
        if publish_id is not None:
            if (await self._standing.ask(call, publish_id)).status != "FAILED":
                return
            await journal.record(**_without_start(journal))
        await _addresses(delivery)
        await journal.record(creator_username=await ask_creator(self._api, call, settings))

    async def publish(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        """Start the post. Once TikTok has taken the call, it needs nothing more from us but the images."""
        settings = prepared(delivery)
        if journal.facts.get("publish_id") is not None:
            return await self.status(call, delivery, journal)
        if journal.facts.get("tried_at") is not None:
            raise OutcomeUnknown("unresolved", "an earlier attempt at this post went unanswered")
        body = _body(delivery, settings, await _addresses(delivery))
        await journal.record(tried_at=call.clock.now().isoformat())
        try:
            started = await self._api.post(call, "post/publish/content/init/", body, Started, visible=True)
        except OutcomeUnknown:
            raise
        except PlatformError:
            await journal.record(tried_at=None)
            raise
        await journal.record(publish_id=started.publish_id)
        return Processing(PROCESSING_ASK_AGAIN_SECONDS)

    async def status(self, call: Call, delivery: Delivery, journal: Journal) -> Outcome:
        publish_id = journal.facts.get("publish_id")
        if publish_id is None:
            raise Transient("not_started", "TikTok has given no id for this post")
        standing = await self._standing.ask(call, publish_id)
        evidence = _evidence(publish_id, standing)
        return self._standing.judge(standing, kind="photo", evidence=evidence, facts=journal.facts)

    async def reconcile(self, call: Call, delivery: Delivery, journal: Journal) -> Finding:
        """Ask by the id where there is one. Else look for the post; only a start never tried is proof of absence."""
        publish_id, tried_at = journal.facts.get("publish_id"), journal.facts.get("tried_at")
        if publish_id is not None:
            try:
                return await self.status(call, delivery, journal)
            except Rejected as error:
                return Undecided({"publish_id": publish_id, "code": error.code, "detail": error.detail})
        if tried_at is None:
            return Absent({"reason": "no start of this post was tried, or TikTok refused it"})
        if "video.list" not in call.grant.scopes:
            return Undecided({"tried_at": tried_at, "reason": "we may not read the account's list"})
        return await self._look(call, delivery, datetime.fromisoformat(tried_at))

    async def _is_lost(self, call: Call, delivery: Delivery, journal: Journal) -> bool:
        """Whether a person's word that it is not there stands against nothing that TikTok tells by now."""
        publish_id, tried_at = journal.facts.get("publish_id"), journal.facts.get("tried_at")
        if tried_at is None:
            return False
        since = datetime.fromisoformat(tried_at)
        if publish_id is None:
            return "video.list" not in call.grant.scopes or len((await self._found(call, delivery, since))[0]) != 1
        try:
            standing = await self._standing.ask(call, publish_id)
        except Rejected:
            return True
        return standing.status != "PUBLISH_COMPLETE" and call.clock.now() - since > WORKING_MAX

    async def _look(self, call: Call, delivery: Delivery, tried_at: datetime) -> Finding:
        """Look for the words among what was posted since. `Transient` asks the caller to look again later."""
        ours, found = await self._found(call, delivery, tried_at)
        if len(ours) == 1:
            evidence = {"found_by": "words and time", "create_time": ours[0].create_time}
            url = (ours[0].share_url or "").partition("?")[0] or None
            return Published(Receipt(ours[0].id, url, evidence))
        if not ours and call.clock.now() - tried_at < timedelta(seconds=LISTING_SECONDS):
            raise Transient("not_listed_yet", "TikTok's list does not show the post so far")
        return Undecided(
            {
                "tried_at": tried_at.isoformat(),
                "alike": [post.id for post in ours],
                "posted_since": [post.id for post in found],
                "reason": "TikTok's list shows public posts only, and may leave photos out",
            }
        )

    async def _found(self, call: Call, delivery: Delivery, tried_at: datetime) -> tuple[list[Listed], list[Listed]]:
        """What was posted since then with this one's words, and all that was."""
        since = tried_at - timedelta(seconds=LISTING_BEFORE_SECONDS)
        found = [post for post in await self._listed(call) if post.create_time >= since.timestamp()]
        return [post for post in found if _says(post, delivery)], found

    async def _listed(self, call: Call) -> list[Listed]:
        """The newest posts: an account may make fewer a day than one page holds."""
        fields = "id,create_time,title,video_description,share_url"
        return (await self._api.post(call, "video/list/", {"max_count": LISTING_MAX}, Listing, fields=fields)).videos


def _without_start(journal: Journal) -> dict[str, Any]:
    """The facts without a start that came to nothing; its id stays as evidence."""
    known, publish_id = journal.facts.get("abandoned_publish_ids", []), journal.facts.get("publish_id")
    abandoned = [*known, publish_id] if publish_id else known
    return {"publish_id": None, "tried_at": None, "abandoned_publish_ids": abandoned}


async def _addresses(delivery: Delivery) -> list[str]:
    """Where TikTok can fetch the images. `Misconfigured` where the installation has no addresses."""
    return [await image.source.address() for image in delivery.media if image.source is not None]


def _body(delivery: Delivery, settings: TikTokSettings, addresses: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": settings.to_photo_info(delivery.text),
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": settings.photo_cover_index or 0,
            "photo_images": addresses,
        },
    }
    # Only TikTok's newest pages know it for photos, and outside `post_info`; so it is sent where it says something.
    return body | {"is_aigc": True} if settings.is_aigc else body


def _says(post: Listed, delivery: Delivery) -> bool:
    """True if a listed post has this one's words; which of its texts a photo's are is not documented."""
    headline = str(delivery.settings.get("title", ""))
    wanted = [words for text in (delivery.text, headline) if (words := " ".join(text.split()))]
    listed = [words for text in (post.video_description, post.title) if (words := " ".join(text.split()))]
    return any(
        told == words or (len(told) >= LISTED_WORDS_MIN and words.startswith(told))
        for told in listed
        for words in wanted
    )


def _evidence(publish_id: str, standing: Status) -> dict[str, Any]:
    return {"publish_id": publish_id, "status": standing.status, "downloaded_bytes": standing.downloaded_bytes}
