"""Uploading images without showing them: each is kept for about a day, until one call puts them into a post."""

from __future__ import annotations

from platforms.facebook.answers import Made
from platforms.facebook.multipart import form_with_file
from platforms.facebook.work import Work
from platforms.meta.graph import Graph, read
from platforms.shape import Media
from platforms.wire import UPLOAD_SECONDS


def photo_ids(work: Work) -> list[str]:
    """The images that are uploaded, in the post's order; fewer than the post has while staging is not done."""
    if not work.is_fresh("photos_at"):
        return []
    known = work.facts.get("photos") or {}
    return [known[str(position)] for position in range(len(work.delivery.media)) if str(position) in known]


def all_photo_ids(work: Work) -> set[str]:
    """Every image that was ever uploaded for this post, those too that were given up."""
    return {*(work.facts.get("photos") or {}).values(), *(work.facts.get("old_photos") or [])}


async def stage_photos(graph: Graph, work: Work) -> None:
    """Upload each image the journal has no id for, one after the other, noting every answer."""
    if not work.is_fresh("photos_at"):
        old = sorted(all_photo_ids(work))
        await work.journal.record(photos={}, old_photos=old, photos_at=work.now.isoformat())
    known: dict[str, str] = dict(work.facts["photos"])
    for position, image in enumerate(work.delivery.media):
        if str(position) not in known:
            known[str(position)] = await _upload(graph, work, image)
            await work.journal.record(photos=dict(known))


async def _upload(graph: Graph, work: Work, image: Media) -> str:
    request = form_with_file(
        graph,
        work.call,
        f"{work.page}/photos",
        {"published": False, "alt_text_custom": image.alt_text or None},
        name="source",
        media=image,
        start=0,
        end=image.size_bytes,
    )
    answer = await graph.send(work.call, request, deadline_seconds=UPLOAD_SECONDS)
    return read(answer, Made, visible=False).id
