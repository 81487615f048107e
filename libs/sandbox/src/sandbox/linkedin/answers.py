"""The forms in which LinkedIn answers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]


class ApiError(Exception):
    """An error in LinkedIn's envelope. `precise` is the code of its first input error."""

    def __init__(
        self, status: int, code: str, message: str, *, number: int | None = None, precise: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.document: dict[str, Any] = {"status": status, "code": code, "message": message}
        if number is not None:
            self.document["serviceErrorCode"] = number
        if precise is not None:
            fault = {"code": precise, "description": message, "input": {}}
            self.document["errorDetailType"] = "com.linkedin.common.error.BadRequest"
            self.document["errorDetails"] = {"inputErrors": [fault]}


def invalid(code: str, message: str) -> ApiError:
    return ApiError(400, "ILLEGAL_ARGUMENT", message, precise=code)


def missing(field: str) -> ApiError:
    message = f"ERROR :: /{field} :: field is required but not found and has no default value"
    return ApiError(422, "UNPROCESSABLE_ENTITY", message)


def denied(what: str) -> ApiError:
    return ApiError(403, "ACCESS_DENIED", f"Not enough permissions to access: {what}.20260901", number=100)


def gone(what: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", f"{what} was not found")


def document(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content), status_code=status, media_type=MediaType.JSON, headers=_headers(headers)
    )


def nothing(status: int, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """An answer that says everything in its headers."""
    return Response(b"", status_code=status, media_type=MediaType.TEXT, headers=_headers(headers))


def on_error(_: AnyRequest, error: ApiError) -> Response[bytes]:
    return document(error.document, error.status)


async def body_of(request: AnyRequest) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise ApiError(400, "ILLEGAL_ARGUMENT", "The body is not a JSON object")
    return value


def names_in(value: str) -> list[str]:
    """The names of a Rest.li list, `List(a,b)`, after decoding."""
    found = re.fullmatch(r"List\((.*)\)", value)
    if found is None:
        raise ApiError(400, "ILLEGAL_ARGUMENT", "A list is written List(a,b)")
    return [name for name in found[1].split(",") if name]


def _headers(more: Mapping[str, str] | None) -> dict[str, str]:
    return {"x-restli-protocol-version": "2.0.0", "x-li-uuid": str(uuid.uuid4()), **(more or {})}
