"""The two forms in which TikTok answers: the envelope of its API and the flat JSON of its OAuth."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]


class ApiError(Exception):
    """An error of the posting or display API."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


class OAuthError(Exception):
    """An error of an OAuth endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


def log_id() -> str:
    return "2026" + secrets.token_hex(15).upper()


def success(data: dict[str, Any] | None = None) -> Response[bytes]:
    return _json(200, {"data": data or {}, "error": {"code": "ok", "message": "", "log_id": log_id()}})


def api_error(_: AnyRequest, error: ApiError) -> Response[bytes]:
    body = {"code": error.code, "message": error.message or error.code, "log_id": log_id()}
    return _json(error.status, {"data": {}, "error": body})


def oauth_error(_: AnyRequest, error: OAuthError) -> Response[bytes]:
    body = {"error": error.error, "error_description": error.description, "log_id": log_id()}
    return _json(error.status, body)


def flat(document: dict[str, Any]) -> Response[bytes]:
    return _json(200, document)


async def body_of(request: AnyRequest) -> dict[str, Any]:
    """A JSON object; an empty body is an empty one, as creator_info allows."""
    raw = await request.body()
    try:
        value = msgspec.json.decode(raw or b"{}")
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise ApiError(400, "invalid_param", "The body is not a JSON object")
    return value


def _json(status: int, document: Any) -> Response[bytes]:
    return Response(
        msgspec.json.encode(document),
        status_code=status,
        media_type=MediaType.JSON,
        headers={"x-tt-logid": log_id()},
    )
