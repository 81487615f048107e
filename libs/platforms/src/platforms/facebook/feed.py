"""Texts, links and images: images first, unpublished, then one call to the Page's feed that shows everything."""

from __future__ import annotations

from typing import Any

from platforms.errors import OutcomeUnknown, Rejected, Transient
from platforms.facebook.answers import Listed, Posted
from platforms.facebook.endpoints import FacebookEndpoints
from platforms.facebook.limits import LISTED_MAX, LISTED_PAGES_MAX
from platforms.facebook.photos import all_photo_ids, photo_ids, stage_photos
from platforms.facebook.work import Work, words
from platforms.meta.graph import Graph, ListTooLong
from platforms.shape import Finding, Outcome, Undecided

_DUPLICATE = "506"
_LISTED = "id,message,created_time,permalink_url,attachments{media_type,target,subattachments{media_type,target}}"


class FeedWay:
    """Satisfies `platforms.facebook.work.Way`."""

    def __init__(self, endpoints: FacebookEndpoints, graph: Graph) -> None:
        self._web = endpoints.web
        self._graph = graph

    async def stage(self, work: Work) -> None:
        if work.delivery.media:
            await stage_photos(self._graph, work)

    async def publish(self, work: Work) -> Outcome:
        photos = photo_ids(work)
        if len(photos) < len(work.delivery.media):
            raise Transient("not_staged", "not every image is uploaded; stage again")
        again = work.again
        await work.trying()
        try:
            posted = await self._graph.post(work.call, f"{work.page}/feed", Posted, visible=True, **_form(work, photos))
        except OutcomeUnknown as error:
            await self._judge_duplicate(work, error, again=again)
            raise
        return await work.posted(posted.id, self._address(posted))

    async def status(self, work: Work) -> Outcome:
        """A post of this kind is there or it is not; what the journal has was told by Facebook."""
        if work.post_id is None:
            raise Transient("not_posted", "the post is not out yet as far as is known; reconcile first")
        return await work.posted(work.post_id, work.facts.get("post_url"))

    async def reconcile(self, work: Work) -> Finding:
        """Look through what the Page has posted since the first try, for our images, else for our very words."""
        try:
            ours, alike = await self._find(work)
        except ListTooLong:
            return Undecided({"reason": "the Page's list is too long", "searched": "published_posts"})
        if ours is not None:
            url = self._address(Posted(ours.id, ours.permalink_url))
            return await work.posted(ours.id, url, created_time=ours.created_time)
        if alike and work.settings.link and not words(work.delivery.text):
            return Undecided({"reason": "a post without a text appeared at that time", "posts": alike})
        return await work.not_found(searched="published_posts")

    async def _find(self, work: Work) -> tuple[Listed | None, int]:
        """Our post, or how many without a text were made since. Raises `ListTooLong`."""
        photos, alike = all_photo_ids(work), 0
        listed = self._graph.every(
            work.call,
            f"{work.page}/published_posts",
            Listed,
            pages_max=LISTED_PAGES_MAX,
            whole=True,
            fields=_LISTED,
            since=work.looked_since,
            limit=LISTED_MAX,
        )
        async for post in listed:
            if _is_ours(post, work, photos):
                return post, alike
            alike += not words(post.message)
        return None, alike

    async def _judge_duplicate(self, work: Work, error: OutcomeUnknown, *, again: bool) -> None:
        """The same text twice in a row is refused. At the first try the other post cannot be ours; later it may."""
        if error.code.partition(".")[0] != _DUPLICATE:
            return
        if not again or work.facts.get("duplicate_at"):
            raise Rejected(error.code, error.detail, advice=self._graph.table[int(_DUPLICATE), None].advice)
        await work.journal.record(duplicate_at=work.now.isoformat())

    def _address(self, posted: Posted) -> str:
        return posted.permalink_url or f"{self._web}/{posted.id}"


def _form(work: Work, photos: list[str]) -> dict[str, Any]:
    attached = {f"attached_media[{position}]": {"media_fbid": photo} for position, photo in enumerate(photos)}
    return {
        "message": work.delivery.text or None,
        "link": work.settings.link or None,
        "published": True,
        # Read after write in the same answer, where it comes with no further doubt.
        "fields": "id,permalink_url",
    } | attached


def _is_ours(post: Listed, work: Work, photos: set[str]) -> bool:
    targets = post.targets()
    if photos and targets:
        return bool(photos & targets)
    text = words(work.delivery.text)
    return bool(text) and words(post.message) == text
