"""Errors as people and programs read them over HTTP: problem details (RFC 9457).

A service's domain errors derive from `Problem`, so that the mapping to HTTP stands beside the error and
nowhere else. Whatever is not a `Problem` is a defect: it is logged and answered without its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from opentelemetry import trace

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:signoff:problem:"

log = structlog.get_logger("problems")

_BODY = "data"
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]+)`")


class Problem(Exception):
    """An answer that is not the one hoped for. Subclasses set `status`, `code` and `title`."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be served"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.facts = facts

    def body(self) -> dict[str, Any]:
        document: dict[str, Any] = {"type": TYPE_PREFIX + self.code, "title": self.title, "status": int(self.status)}
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = list(self.errors)
        return document | self.facts


class Invalid(Problem):
    """The body or a parameter breaks a rule; `errors` names each place with a JSON pointer."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid"
    title = "The request has a value that is not allowed"


class Unauthenticated(Problem):
    """Nobody is known to call: no session and no key, or one that is none (RFC 6750, section 3)."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthenticated"
    title = "Sign in first"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class KeyRefused(Unauthenticated):
    """An API key that opens nothing. Unknown, mistyped, expired and revoked ones are told apart by nobody."""

    code = "key-refused"
    title = "This API key is not valid"

    def __init__(self) -> None:
        super().__init__()
        self.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'


class SessionNeeded(Problem):
    """A person themself must do this; a key is not enough, whatever it permits."""

    status = HTTPStatus.FORBIDDEN
    code = "session-needed"
    title = "This needs a person who is signed in"


class Forbidden(Problem):
    """The caller is known but may not. `needs` is the permission that is missing."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"
    title = "You may not do this here"

    def __init__(self, needs: str) -> None:
        super().__init__(needs=needs)


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND
    code = "not-found"
    title = "There is no such thing here"


class Conflict(Problem):
    """The request contradicts the present state."""

    status = HTTPStatus.CONFLICT
    code = "conflict"
    title = "This is not possible in the present state"


class Unavailable(Problem):
    """Something we depend on does not answer; trying again later is right."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Please try again shortly"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


def _answer(problem: Problem) -> Response[dict[str, Any]]:
    body = problem.body()
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        body["trace_id"] = f"{context.trace_id:032x}"
    # From the body, because a neighbour's problem that is passed on has a status of its own.
    return Response(body, status_code=body["status"], media_type=MEDIA_TYPE, headers=problem.headers)


def on_problem(_: Request[Any, Any, Any], problem: Problem) -> Response[dict[str, Any]]:
    return _answer(problem)


def _on_validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[dict[str, Any]]:
    details = error.extra if isinstance(error.extra, list) else []
    return _answer(Invalid(errors=[_place(item) for item in details]) if details else Problem(error.detail))


def _place(item: Mapping[str, Any]) -> dict[str, str]:
    """Where a value is wrong: a JSON pointer (RFC 6901) into the body, or the name of a parameter."""
    key, detail = str(item.get("key", "")), str(item.get("message", ""))
    source = item.get("source", "body")
    if source != "body":
        return {"parameter": key, "detail": detail}
    # Litestar names the whole body by its parameter, and array items in brackets.
    path = "" if key == _BODY else key.replace("[", ".").replace("]", "")
    unknown = _UNKNOWN_FIELD.search(detail)
    if unknown:
        path = f"{path}.{unknown[1]}".removeprefix(".")
    if detail == repr(_BODY):
        detail = "A body is needed"
    return {"pointer": "".join(f"/{part}" for part in path.split(".") if part), "detail": detail}


_TITLES = {
    413: "Content Too Large",
    422: "Unprocessable Content",
}
"""Names that RFC 9110 changed and Python took over in 3.13: a problem's type must not depend on the interpreter."""


def _on_http_exception(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    status = HTTPStatus(error.status_code)
    title = _TITLES.get(status, status.phrase)
    document = {"type": TYPE_PREFIX + title.lower().replace(" ", "-"), "title": title, "status": int(status)}
    # Litestar's own detail repeats the phrase where it has nothing to add.
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and error.detail and error.detail not in (status.phrase, title):
        document["detail"] = error.detail
    return Response(document, status_code=status, media_type=MEDIA_TYPE, headers=error.headers)


def _on_defect(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    # The text of an unexpected error may hold anything, so the caller gets none of it.
    log.error("request_failed", path=request.url.path, method=request.method, exc_info=error)
    return _answer(_Defect())


class _Defect(Problem):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"
    title = "Something went wrong on our side"


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Problem: on_problem,
    ValidationException: _on_validation,
    HTTPException: _on_http_exception,
    Exception: _on_defect,
}
