"""The forms in which X answers: `data`, problems, the flat JSON of OAuth; each with the headers of its limits."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]

PROBLEMS = "https://api.twitter.com/2/problems/"
RENAMED_PROBLEMS = "https://api.x.com/2/problems/"
LIMIT_HEADERS = "x_limit_headers"
RENAMED = "x_renamed"
TITLES = {400: "Invalid Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


class Problem(Exception):
    """An error of the API. `kind` is the last part of its type; without one it is `about:blank`."""

    def __init__(self, status: int, detail: str, kind: str | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.members = members


class OAuthError(Exception):
    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


def invalid(message: str, **parameters: Any) -> Problem:
    errors = [{"parameters": parameters, "message": message}]
    return Problem(400, "One or more parameters to your request was invalid.", "invalid-request", errors=errors)


def data(request: AnyRequest, value: Any, *, status: int = 200, **beside: Any) -> Response[bytes]:
    return _json(request, status, {"data": value, **beside})


def whole(request: AnyRequest, document: dict[str, Any]) -> Response[bytes]:
    return _json(request, 200, document)


def problem(request: AnyRequest, error: Problem) -> Response[bytes]:
    document = {
        "title": TITLES.get(error.status, "Service Unavailable"),
        "detail": error.detail,
        "type": kind_of(request, error.kind),
        "status": error.status,
    }
    return _json(request, error.status, document | error.members, "application/problem+json")


def kind_of(request: AnyRequest, kind: str | None) -> str:
    """A problem's type, under the old or the new address."""
    if kind is None:
        return "about:blank"
    return (RENAMED_PROBLEMS if request.scope.get(RENAMED) else PROBLEMS) + kind


def oauth_error(request: AnyRequest, error: OAuthError) -> Response[bytes]:
    return _json(request, error.status, {"error": error.error, "error_description": error.description})


def flat(request: AnyRequest, document: dict[str, Any]) -> Response[bytes]:
    return _json(request, 200, document)


def _json(request: AnyRequest, status: int, document: Any, kind: str = MediaType.JSON) -> Response[bytes]:
    headers = {"x-transaction-id": secrets.token_hex(8), "api-version": "2.167"}
    limits: dict[str, str] = request.scope.get(LIMIT_HEADERS, {})  # type: ignore[assignment]
    return Response(msgspec.json.encode(document), status_code=status, media_type=kind, headers=headers | limits)
