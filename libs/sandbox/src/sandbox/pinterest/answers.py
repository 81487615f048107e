"""The forms in which Pinterest answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]
PAGE_MAX = 250


class ApiError(Exception):
    """An error with Pinterest's code and message."""

    def __init__(self, status: int, code: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def invalid(message: str) -> ApiError:
    return ApiError(400, 1, message)


def document(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content), status_code=status, media_type=MediaType.JSON, headers=dict(headers or {})
    )


def on_error(_: AnyRequest, error: ApiError) -> Response[bytes]:
    return document({"code": error.code, "message": error.message}, error.status, error.headers)


def without_zone(moment: datetime) -> str:
    """Pinterest's times: UTC to the second, and it does not say so."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


async def body_of(request: AnyRequest) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise invalid("Invalid request: body must be an object")
    return value


def page_of(request: AnyRequest, items: list[dict[str, Any]]) -> Response[bytes]:
    """A page of a list; the bookmark is where the next one begins."""
    size, bookmark = request.query_params.get("page_size", "25"), request.query_params.get("bookmark", "0")
    if not size.isdigit() or not 1 <= int(size) <= PAGE_MAX:
        raise invalid(f"Invalid request: {size!r} is not between 1 and {PAGE_MAX}")
    start = int(bookmark) if bookmark.isdigit() else 0
    end = start + int(size)
    return document({"items": items[start:end], "bookmark": str(end) if end < len(items) else None})
