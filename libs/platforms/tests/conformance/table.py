"""Where a platform does otherwise than it publishes: each difference, its reason, and the proof that it is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from libs.platforms.tests.conformance.exchange import Answered, Deviation, Direction, Sent, Specification, deviations


@dataclass(frozen=True, eq=False)
class Difference:
    """One deviation that is right. `route` and `pointer` may hold `*`; a `[` in them is meant literally.

    `example` is a body (or, for `/query`, a dict of parameters) that shows it, `status` that of the answer. What is
    merely unknown to the specification needs no example. `shown_at` is a route to show it at, where `route` has a `*`;
    `content_type` is that of the example.
    """

    route: str
    direction: Direction
    pointer: str
    rule: str
    reason: str
    example: Any = None
    status: int = 200
    shown_at: str = ""
    content_type: str = "application/json"

    def covers(self, deviation: Deviation) -> bool:
        return (
            self.direction == deviation.direction
            and self.rule == deviation.rule
            and _matches(deviation.route, self.route)
            and _matches(deviation.pointer, self.pointer)
        )

    def is_needed(self, specification: Specification) -> bool:
        """True if the specification would object to the example."""
        sent, answered = self._exchange()
        return any(self.covers(deviation) for deviation in deviations(specification, sent, answered))

    def _exchange(self) -> tuple[Sent, Answered | None]:
        method, _, path = (self.shown_at or self.route).partition(" ")
        part, _, rest = self.pointer.removeprefix("/").partition("/")
        shown = self.example if self.example is not None else _nested(rest.split("/")) if part == "body" else None
        body = json.dumps(shown).encode() if part == "body" else b""
        headers = {"content-type": self.content_type} if part == "body" else {}
        sent = Sent(method.replace("*", "GET"), path.replace("*", "x"))
        if self.direction == "answer":
            return sent, Answered(self.status, headers, body)
        query: Mapping[str, str] = (self.example or {rest: "x"}) if part == "query" else {}
        return Sent(sent.method, sent.path, list(query.items()), headers, body), None


def line_for(deviation: Deviation) -> str:
    """The line of a table to start from, if the platform really does so."""
    words = (deviation.route, deviation.direction, deviation.pointer, deviation.rule)
    return f"Difference({', '.join(json.dumps(word) for word in words)}, reason=…)"


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _nested(steps: list[str]) -> Any:
    """The smallest document in which a pointer leads to something."""
    if not steps or steps == [""]:
        return None
    step = steps[0].replace("~1", "/").replace("~0", "~")
    inner = _nested(steps[1:])
    return [inner] if step in ("0", "*") else {step: inner}
