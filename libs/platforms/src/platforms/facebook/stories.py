"""A story of an image: uploaded unpublished like any other, then shown by one call."""

from __future__ import annotations

from platforms.errors import Transient
from platforms.facebook.answers import Story, StoryPosted
from platforms.facebook.limits import LISTED_MAX
from platforms.facebook.photos import all_photo_ids, photo_ids, stage_photos
from platforms.facebook.work import Work
from platforms.meta.graph import Graph
from platforms.shape import Finding, Outcome, Undecided


class PhotoStoryWay:
    """Satisfies `platforms.facebook.work.Way`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def stage(self, work: Work) -> None:
        await stage_photos(self._graph, work)

    async def publish(self, work: Work) -> Outcome:
        photos = photo_ids(work)
        if not photos:
            raise Transient("not_staged", "the image is not uploaded; stage again")
        await work.trying()
        posted = await self._graph.post(
            work.call, f"{work.page}/photo_stories", StoryPosted, visible=True, photo_id=photos[0]
        )
        # Without an id of its own the story is known by its image.
        return await work.posted(posted.post_id, None, photo_id=photos[0])

    async def status(self, work: Work) -> Outcome:
        if work.post_id is not None:
            return await work.posted(work.post_id, work.facts.get("post_url"))
        story, _ = await self._find(work)
        return await work.posted(story.post_id if story else None, story.url if story else None)

    async def reconcile(self, work: Work) -> Finding:
        """Look for our image among the Page's stories. Others of that time leave it open: the ids may differ."""
        story, others = await self._find(work)
        if story is not None:
            return await work.posted(story.post_id, story.url, media_id=story.media_id)
        if others:
            return Undecided({"reason": "a story with another image appeared at that time", "stories": others})
        return await work.not_found(searched="stories")

    async def _find(self, work: Work) -> tuple[Story | None, int]:
        photos, others = all_photo_ids(work), 0
        listed = self._graph.every(
            work.call, f"{work.page}/stories", Story, pages_max=1, since=work.looked_since, limit=LISTED_MAX
        )
        async for story in listed:
            if story.media_id in photos:
                return story, others
            others += 1
        return None, others
