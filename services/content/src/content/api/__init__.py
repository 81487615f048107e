"""The HTTP edge: parse, authorise, call one use case, shape the answer."""

from __future__ import annotations

from kit.links import LinkReader
from litestar.types import ControllerRouterHandler

from content.api import internal, linked, media, posts, reviews
from content.api.desk import Desk
from content.ports import Examiner, ObjectStore


def routes(desk: Desk, *, examiner: Examiner, objects: ObjectStore, links: LinkReader) -> list[ControllerRouterHandler]:
    """Everything content answers to."""
    return [
        *posts.routes(desk),
        *reviews.routes(desk),
        media.route(desk, examiner=examiner, objects=objects),
        *internal.routes(desk),
        *linked.routes(links, objects),
    ]
