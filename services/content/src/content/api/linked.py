"""Media by link: for platforms that fetch files by themselves. The token is the whole permission."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from kit.links import LinkReader
from litestar import Request, Response, get, head
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from content.ports import ObjectStore
from content.use_cases.give_linked import Given, give_linked


def routes(links: LinkReader, objects: ObjectStore) -> list[ControllerRouterHandler]:
    @get("/media/{token:str}", operation_id="GiveLinkedMedia")
    async def give(request: Request[Any, Any, Any]) -> Stream:
        given = await give_linked(
            request.path_params["token"],
            asked_range=request.headers.get("range"),
            body_wanted=True,
            links=links,
            objects=objects,
        )
        return Stream(given.pieces, status_code=_status(given), headers=_headers(given))

    @head("/media/{token:str}", operation_id="TellOfLinkedMedia")
    async def tell(request: Request[Any, Any, Any]) -> Response[None]:
        # A range has no meaning for HEAD (RFC 9110, 14.2).
        given = await give_linked(
            request.path_params["token"], asked_range=None, body_wanted=False, links=links, objects=objects
        )
        return Response(None, headers=_headers(given))

    return [give, tell]


def _status(given: Given) -> HTTPStatus:
    return HTTPStatus.PARTIAL_CONTENT if given.span else HTTPStatus.OK


def _headers(given: Given) -> dict[str, str]:
    headers = {
        "Content-Type": given.content_type,
        "Content-Length": str(given.span.length if given.span else given.size_bytes),
        "Accept-Ranges": "bytes",
        # What an erasure removes must not live on in a cache on the way.
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return headers | ({"Content-Range": given.span.content_range} if given.span else {})
