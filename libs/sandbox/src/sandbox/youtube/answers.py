"""The forms in which Google answers: resources with kind and etag, errors with a list of reasons, flat OAuth errors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]

_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


class ApiError(Exception):
    """An error of the Data or Analytics API."""

    def __init__(self, status: int, reason: str, message: str = "", *, domain: str = "youtube.video") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.message = message or f"The request failed: {reason}."
        self.domain = domain


class OAuthError(Exception):
    """An error of an authorisation endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


def etag_of(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:27]


def resource(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A resource or list with its kind and a tag that changes with its content."""
    return {"kind": f"youtube#{kind}", "etag": etag_of(fields), **fields}


def listing(kind: str, items: list[dict[str, Any]], *, per_page: int, **more: Any) -> Response[bytes]:
    page = {"totalResults": len(items), "resultsPerPage": per_page}
    return document(resource(kind, {"items": items, "pageInfo": page} | more))


def document(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type=MediaType.JSON,
        headers=dict(headers or {}),
    )


def api_error(_: AnyRequest, error: ApiError) -> Response[bytes]:
    body: dict[str, Any] = {
        "code": error.status,
        "message": error.message,
        "errors": [{"message": error.message, "domain": error.domain, "reason": error.reason}],
        "status": _STATUS.get(error.status, "UNKNOWN"),
    }
    if error.reason == "insufficientPermissions":
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        body["details"] = [{"@type": info, "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com"}]
    return document({"error": body}, error.status)


def oauth_error(_: AnyRequest, error: OAuthError) -> Response[bytes]:
    return document({"error": error.error, "error_description": error.description}, error.status)


async def body_of(request: AnyRequest) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise ApiError(400, "parseError", "The body is not a JSON object.", domain="global")
    return value


def part_of(value: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of a resource; a missing one is empty."""
    part = value.get(name, {})
    if not isinstance(part, dict):
        raise ApiError(400, "badRequest", f"{name} is not an object.", domain="global")
    return part


def listed(request: AnyRequest, name: str) -> list[str]:
    """A parameter that may be repeated and may hold commas."""
    return [word for value in request.query_params.getall(name, []) for word in str(value).split(",") if word]


def parts_of(request: AnyRequest, known: tuple[str, ...]) -> list[str]:
    parts = listed(request, "part")
    if not parts:
        raise ApiError(400, "missingRequiredParameter", "Required parameter: part", domain="global")
    if any(part not in known for part in parts):
        raise ApiError(400, "unknownPart", f"part holds an unknown name: {','.join(parts)}", domain="youtube.part")
    return parts


def number_of(request: AnyRequest, name: str, otherwise: int, maximum: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return otherwise
    if not value.isdigit() or not 0 <= int(value) <= maximum:
        raise ApiError(400, "invalidParameter", f"{name} is not between 0 and {maximum}", domain="global")
    return int(value)
