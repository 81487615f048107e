"""One request to a platform, with every failure on the way turned into one of the six kinds.

Every client in this package sends through `send`, so the question "may this be repeated?" is answered
in one place. What the platform itself answers is judged by the client's own error table.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from platforms.errors import OutcomeUnknown, Transient

ANSWER_BYTES_MAX = 4 * 1024 * 1024
DEADLINE_SECONDS = 60.0
UPLOAD_SECONDS = 600.0

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A platform's whole answer; its body is at most 4 MiB."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Mapping[str, Any]:
        """The body as a JSON object; anything else (a proxy's error page, nothing) is an empty one."""
        try:
            value = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return value if isinstance(value, dict) else {}

    def parse(self, kind: type[T]) -> T:
        """The body as a typed value; a platform that says something else is asked again later."""
        return converted(self.json(), kind)


def converted(document: object, kind: type[T]) -> T:
    """Part of an answer as a typed value. Numbers may come as text, because some platforms send both."""
    try:
        return msgspec.convert(document, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Transient("answer_malformed", f"the platform's answer has another form: {error}") from None


async def send(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    visible: bool = False,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Answer:
    """Send one request and read its answer.

    `visible` marks the step that makes a post public: without an answer its outcome is unknown. Any
    other step is safe to repeat, and so is a visible one whose connection was never made. Addresses and
    causes stay out of the messages, because addresses of uploads hold credentials.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            response = await http.send(request, stream=True)
            try:
                return Answer(response.status_code, response.headers, await _read(response))
            finally:
                await response.aclose()
    except (httpx.ConnectError, httpx.PoolTimeout):
        raise Transient("not_reached", f"no connection to {request.url.host} could be made") from None
    except (httpx.TransportError, httpx.StreamError, TimeoutError, ValueError) as error:
        detail = f"no complete answer from {request.url.host} ({type(error).__name__})"
        raise (OutcomeUnknown if visible else Transient)("no_answer", detail) from None


def safe_code(value: object) -> str:
    """A platform's error word as it may be shown and stored; anything odd becomes `unknown`."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value) else "unknown"


async def _read(response: httpx.Response) -> bytes:
    parts = bytearray()
    stream: AsyncIterable[bytes] = response.aiter_bytes()
    plain = "content-encoding" not in response.headers and not response.is_stream_consumed
    if plain and isinstance(response.stream, httpx.AsyncByteStream):
        stream = response.stream  # nearly all answer as we ask them to
    async for part in stream:
        parts += part
        if len(parts) > ANSWER_BYTES_MAX:
            raise ValueError("answer too large")
    return bytes(parts)
