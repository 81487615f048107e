"""An OpenAPI 3.0 document as a specification.

Schemas are judged by jsonschema, by the rules of draft 4 as OpenAPI 3.0 has changed them (`nullable`). Nothing is
expanded beforehand: references are followed where an exchange leads, so a document of megabytes costs its parsing only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from libs.platforms.tests.conformance.exchange import (
    Answered,
    FilePart,
    Finding,
    Sent,
    as_pointer,
    read_form,
    read_json,
    read_parts,
)
from libs.platforms.tests.conformance.schemas import Schemas

METHODS = ("get", "post", "put", "patch", "delete")
OUR_OWN = ("authorization", "content-type", "accept")
"""Header parameters that a document may name but that are described elsewhere in it."""


@dataclass(frozen=True)
class Operation:
    """One operation: its route as published, where it stands in the document, and the pattern of its path."""

    route: str
    pointer: str
    document: Mapping[str, Any]
    shared: Sequence[Mapping[str, Any]]
    pattern: re.Pattern[str]


class OpenApi:
    """Satisfies `Specification`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas = Schemas(document)

    def route(self, sent: Sent) -> str | None:
        operation = self._operation(sent)
        return operation.route if operation else None

    def request_findings(self, sent: Sent) -> Iterator[Finding]:
        operation = self._operation(sent)
        assert operation
        yield from self._parameter_findings(operation, sent)
        yield from self._body_findings(operation, sent)

    def answer_findings(self, sent: Sent, answered: Answered) -> Iterator[Finding]:
        operation = self._operation(sent)
        assert operation
        responses = operation.document["responses"]
        keys = (str(answered.status), f"{answered.status // 100}XX", "default")
        key = next((key for key in keys if key in responses), None)
        if key is None:
            yield "/status", "unknown_status", f"{answered.status} is none of {', '.join(responses)}"
            return
        at, response = self._schemas.resolved(operation.pointer + as_pointer("responses", key))
        content = response.get("content") or {}
        if not content and answered.body:
            yield "/body", "unknown_body", f"{answered.status} has no body"
        elif content and not answered.body:
            yield "/body", "required", f"{answered.status} has a body"
        elif content:
            yield from self._content_findings(at, content, answered.content_type, "", answered.body)

    @cached_property
    def _operations(self) -> Sequence[tuple[str, Operation]]:
        """Literal paths before those with placeholders, so that `/users/me` is not taken for `/users/{id}`."""
        found = []
        servers = self._document.get("servers") or [{}]
        base = urlsplit(servers[0].get("url", "")).path.rstrip("/")
        for template, item in self._document["paths"].items():
            escaped = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(base + template))
            for method in METHODS:
                if method in item:
                    route = f"{method.upper()} {base}{template}"
                    at = as_pointer("paths", template, method)
                    shared = item.get("parameters", ())
                    found.append((method.upper(), Operation(route, at, item[method], shared, re.compile(escaped))))
        return sorted(found, key=lambda entry: entry[1].route.count("{"))

    def _operation(self, sent: Sent) -> Operation | None:
        return next(
            (o for method, o in self._operations if method == sent.method and o.pattern.fullmatch(sent.path)), None
        )

    def _parameter_findings(self, operation: Operation, sent: Sent) -> Iterator[Finding]:
        declared = list(self._parameters(operation))
        path = operation.pattern.fullmatch(sent.path)
        assert path
        given = {
            "path": list(path.groupdict().items()),
            "query": list(sent.query),
            "header": list(sent.headers.items()),
        }
        known = {parameter["name"] for _, parameter in declared if parameter["in"] == "query"}
        for name in {name for name, _ in sent.query} - known:
            yield as_pointer("query", name), "unknown_parameter", "it is not published"
        for at, parameter in declared:
            place, name = parameter["in"], parameter["name"]
            if place not in given or (place == "header" and name.lower() in OUR_OWN):
                continue
            wanted = name.lower() if place == "header" else name
            values = [value for key, value in given[place] if key == wanted]
            pointer = as_pointer(place, name)
            if not values:
                if parameter.get("required"):
                    yield pointer, "required", "it is missing"
                continue
            yield from self._value_findings(at + "/schema", parameter, values, pointer)

    def _value_findings(
        self, at: str, parameter: Mapping[str, Any], values: list[str], pointer: str
    ) -> Iterator[Finding]:
        if "array" in self._schemas.types(at):
            if parameter.get("explode", parameter["in"] == "query") is False:
                values = [piece for value in values for piece in value.split(",")]
            value: Any = [self._schemas.coerced(piece, at + "/items") for piece in values]
        elif len(values) > 1:
            yield pointer, "repeated", "it is given more than once"
            return
        else:
            value = self._schemas.coerced(values[0], at)
        yield from self._schemas.findings(at, value, pointer)

    def _parameters(self, operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
        parent = operation.pointer.rpartition("/")[0]
        for base, count in (
            (parent, len(operation.shared)),
            (operation.pointer, len(operation.document.get("parameters", ()))),
        ):
            for index in range(count):
                yield self._schemas.resolved(base + as_pointer("parameters", index))

    def _body_findings(self, operation: Operation, sent: Sent) -> Iterator[Finding]:
        if "requestBody" not in operation.document:
            if sent.body:
                yield "/body", "unknown_body", "it takes no body"
            return
        at, described = self._schemas.resolved(operation.pointer + "/requestBody")
        if sent.body == b"":
            if described.get("required"):
                yield "/body", "required", "it is missing"
            return
        full_type = sent.headers.get("content-type", "")
        yield from self._content_findings(at, described["content"], sent.content_type, full_type, sent.body)

    def _content_findings(
        self, at: str, content: Mapping[str, Any], content_type: str, full_type: str, body: bytes | None
    ) -> Iterator[Finding]:
        declared = next((kind for kind in content if kind.partition(";")[0].strip() in (content_type, "*/*")), None)
        if declared is None:
            yield "/body", "content_type", f"{content_type or 'none'} is none of {', '.join(content)}"
            return
        if body is None or "schema" not in content[declared]:
            return
        schema = at + as_pointer("content", declared, "schema")
        try:
            value = self._read(schema, content_type, full_type, body)
        except (ValueError, json.JSONDecodeError) as error:
            yield "/body", "syntax", str(error)
            return
        yield from self._schemas.findings(schema, value, "/body")

    def _read(self, schema: str, content_type: str, full_type: str, body: bytes) -> Any:
        if content_type == "application/json" or content_type.endswith("+json"):
            return read_json(body)
        if content_type == "application/x-www-form-urlencoded":
            fields: dict[str, Any] = dict(read_form(body))
        elif content_type == "multipart/form-data":
            parts = read_parts(body, full_type)
            fields = {name: FilePart("…") if kind else data.decode() for name, kind, data in parts}
        else:
            return FilePart("…")
        return {name: self._schemas.coerced_property(value, schema, name) for name, value in fields.items()}
