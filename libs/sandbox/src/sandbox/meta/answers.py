"""How a Graph answers: an object for a success, one envelope for every error."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State

AnyRequest = Request[Any, Any, State]
_TRACE_LETTERS = string.ascii_letters + string.digits


class GraphError(Exception):
    """An error in Meta's envelope. Most come with status 400, whatever they mean."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = 400,
        transient: bool | None = None,
        user_title: str | None = None,
        user_message: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        told = {
            "message": message,
            "type": kind,
            "code": code,
            "error_data": data,
            "error_subcode": subcode,
            "is_transient": transient,
            "error_user_title": user_title,
            "error_user_msg": user_message,
            "fbtrace_id": trace_id(),
        }
        self.error = {name: value for name, value in told.items() if value is not None}


def invalid(message: str) -> GraphError:
    """A parameter is missing or wrong."""
    return GraphError(100, f"(#100) {message}")


def absent(node: str, method: str = "get") -> GraphError:
    """What is not there and what the token may not see look the same."""
    message = (
        f"Unsupported {method} request. Object with ID '{node}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation."
    )
    return GraphError(100, message, subcode=33, kind="GraphMethodException")


def lacking(scope: str) -> GraphError:
    """The token has not the permission."""
    return GraphError(200, f"(#200) Requires {scope} permission to manage the object", status=403)


def trace_id() -> str:
    return "A" + "".join(secrets.choice(_TRACE_LETTERS) for _ in range(22))


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    body = msgspec.json.encode(document)
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=dict(headers or {}))


def time_text(moment: datetime) -> str:
    """Meta writes the offset without a colon."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
