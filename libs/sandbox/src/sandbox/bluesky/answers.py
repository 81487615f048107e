"""How Bluesky's servers answer errors: XRPC names on one side, OAuth words on the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]


class XrpcError(Exception):
    """An error of an XRPC method."""

    def __init__(self, status: int, error: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.document = {"error": error, "message": message}
        self.headers = dict(headers or {})


class OAuthError(Exception):
    """An error of the authorisation server."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.status = status
        self.document = {"error": error, "error_description": description}


def json_response(
    document: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    return Response(
        msgspec.json.encode(document), status_code=status, media_type=MediaType.JSON, headers=dict(headers or {})
    )


def timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
