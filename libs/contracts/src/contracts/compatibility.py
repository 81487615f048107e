"""Says in what a set of event schemas breaks its promise to the last released one.

Two directions count. A new consumer reads events that were stored up to 30 days before it was built, and an
old consumer reads events of a producer that is newer. Together they leave one change inside a version:
*another optional field*. Everything that an existing field accepts stays as it is: less would refuse old events,
more (a further enum value, a longer text, null) would be refused by consumers that are not rebuilt yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.json_schema import Schema

_PROSE = {"description", "title", "examples", "deprecated", "$schema", "$id"}
"""Says something to people; nothing is accepted or refused by it."""

_HANDLED = {"properties", "required", "$defs"}


def breaks(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """Every broken promise, a line each; empty if none is. Events that are new break nothing."""
    found: list[str] = []
    for name, before in sorted(released.items()):
        if name not in current:
            found.append(f"{name}: removed")
            continue
        found += [f"{name}: {what}" for what in _broken(_resolved(before), _resolved(current[name]))]
    return found


def _broken(before: Schema, now: Schema) -> Iterator[str]:
    before_fields, now_fields = before.get("properties", {}), now.get("properties", {})
    before_required, now_required = set(before.get("required", ())), set(now.get("required", ()))
    for field in sorted(before_fields.keys() - now_fields.keys()):
        yield f"field {field} is removed"
    for field in sorted(now_required - before_required):
        yield f"field {field} is newly required, stored events do not have it"
    for field in sorted((before_required - now_required) & now_fields.keys()):
        yield f"field {field} is no longer required, consumers count on it"
    for field in sorted(before_fields.keys() & now_fields.keys()):
        yield from _changed(f"field {field}", before_fields[field], now_fields[field])
    around_before, around_now = _without(before, _HANDLED), _without(now, _HANDLED)
    yield from _changed("the event", around_before, around_now)


def _changed(what: str, before: Schema, now: Schema) -> Iterator[str]:
    before_values, now_values = set(before.get("enum", ())), set(now.get("enum", ()))
    for value in sorted(before_values - now_values):
        yield f"{what} no longer accepts {value!r}, which stored events have"
    for value in sorted(now_values - before_values if before_values else ()):
        yield f"{what} may be {value!r}, which consumers do not know"
    for keyword in sorted((before.keys() | now.keys()) - {"enum"}):
        if before.get(keyword) != now.get(keyword):
            yield f"{what} changed {keyword} from {before.get(keyword)!r} to {now.get(keyword)!r}"
    if bool(before_values) != bool(now_values):
        yield f"{what} {'lost' if before_values else 'got'} its list of values"


def _resolved(schema: Schema) -> Schema:
    """The schema with every reference replaced by what it stands for, and without prose."""
    definitions = schema.get("$defs", {})

    def resolve(node: Any, *, names_fields: bool = False) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            definition = definitions[node["$ref"].rpartition("/")[2]]
            return resolve(definition | _without(node, {"$ref"}))
        kept = node if names_fields else _without(node, _PROSE)
        return {key: resolve(item, names_fields=key == "properties") for key, item in kept.items()}

    resolved: Schema = resolve(_without(schema, {"$defs"}))
    return resolved


def _without(schema: Schema, keywords: set[str]) -> Schema:
    return {key: item for key, item in schema.items() if key not in keywords}
