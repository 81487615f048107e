"""The `fields` of a Graph: names with fields of their own in braces and arguments behind dots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.meta.answers import GraphError

_NAME = re.compile(r"[A-Za-z0-9_]+")
_ARGUMENT = re.compile(r"\.([A-Za-z0-9_]+)\(([^()]*)\)")


@dataclass
class Field:
    """One wanted field: what is wanted of it, and with which arguments (`limit(0)`, `summary(true)`)."""

    fields: dict[str, Field] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)


def parse_fields(text: str) -> dict[str, Field]:
    """The wanted fields by name. Raises what a Graph answers to a text that is none."""
    fields, end = _parse(text.replace(" ", ""), 0)
    if end != len(text.replace(" ", "")):
        raise _broken(text)
    return fields


def select(document: Mapping[str, Any], wanted: Mapping[str, Field], *, node: str) -> dict[str, Any]:
    """The wanted part of a node, always with its id. A value of None is a field without a value, which is left out."""
    for name in wanted:
        if name not in document:
            raise GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({node})")
    chosen = {"id": document["id"]} if "id" in document else {}
    chosen |= {name: _inner(document[name], each) for name, each in wanted.items() if document[name] is not None}
    return chosen


def _inner(value: Any, wanted: Field) -> Any:
    """Fields of lists are those of their items, as are those of a connection's `data`."""
    if not wanted.fields:
        return value
    if isinstance(value, list):
        return [_inner(item, wanted) for item in value]
    if isinstance(value, dict):
        if "data" in value:
            return value | {"data": _inner(value["data"], wanted)}
        return {name: _inner(value[name], each) for name, each in wanted.fields.items() if value.get(name) is not None}
    return value


def _parse(text: str, at: int) -> tuple[dict[str, Field], int]:
    fields: dict[str, Field] = {}
    while at < len(text) and text[at] != "}":
        found = _NAME.match(text, at)
        if found is None:
            raise _broken(text)
        one, at = Field(), found.end()
        while (argument := _ARGUMENT.match(text, at)) is not None:
            one.arguments[argument[1]] = argument[2]
            at = argument.end()
        if at < len(text) and text[at] == "{":
            one.fields, at = _parse(text, at + 1)
            if at >= len(text):
                raise _broken(text)
            at += 1
        fields[found[0]] = one
        if at < len(text) and text[at] == ",":
            at += 1
        elif at < len(text) and text[at] != "}":
            raise _broken(text)
    return fields, at


def _broken(text: str) -> GraphError:
    return GraphError(2500, f"Syntax error in fields: {text[:60]}")
