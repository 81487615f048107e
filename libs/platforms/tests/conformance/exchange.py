"""One request and its answer as a specification looks at them, and how a deviation is told."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl

Direction = Literal["request", "answer"]


@dataclass(frozen=True)
class Sent:
    """A request. `path` is decoded, header names are lower-case; `body` is None where it was a stream of media."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""

    @property
    def content_type(self) -> str:
        return media_type(self.headers)


@dataclass(frozen=True)
class Answered:
    """The answer to it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        return media_type(self.headers)


@dataclass(frozen=True)
class Deviation:
    """One thing that is not as published."""

    route: str
    direction: Direction
    pointer: str
    rule: str
    detail: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.direction} {self.route} at {self.pointer or '/'}: {self.rule} ({self.detail})"


Finding = tuple[str, str, str]
"""Pointer, rule, detail."""


class Specification(Protocol):
    """A published description of an interface. All three are asked about one exchange."""

    def route(self, sent: Sent) -> str | None:
        """The operation's route as published, "METHOD /path/{name}"; None if there is none."""

    def request_findings(self, sent: Sent) -> Iterator[Finding]: ...

    def answer_findings(self, sent: Sent, answered: Answered) -> Iterator[Finding]: ...


def deviations(specification: Specification, sent: Sent, answered: Answered | None = None) -> Iterator[Deviation]:
    """What deviates in the request, or in the answer if one is given."""
    route = specification.route(sent)
    if route is None:
        if answered is None:
            yield Deviation(f"{sent.method} {sent.path}", "request", "", "unknown_route", "it is not published")
        return
    if answered is None:
        for pointer, rule, detail in specification.request_findings(sent):
            yield Deviation(route, "request", pointer, rule, detail)
    else:
        for pointer, rule, detail in specification.answer_findings(sent, answered):
            yield Deviation(route, "answer", pointer, rule, detail)


class FilePart(str):
    """Stands for the bytes of a file in a form, whose content is not looked at."""


def media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def read_json(body: bytes) -> Any:
    """Raises ValueError if it is not JSON in UTF-8."""
    return json.loads(body.decode())


def read_form(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))


def read_parts(body: bytes, content_type: str) -> list[tuple[str, str, bytes]]:
    """The parts of a multipart body: the name in the form (may be empty), the part's media type, its bytes."""
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found = []
    for part in message.get_payload() if message.is_multipart() else []:
        assert not isinstance(part, str)
        name = part.get_param("name", "", "content-disposition")
        is_file = part.get_filename() is not None or "content-type" in part
        kind = part.get_content_type() if is_file else ""
        payload = part.get_payload(decode=True)
        found.append((str(name), kind, payload if isinstance(payload, bytes) else b""))
    return found


def as_pointer(*steps: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
