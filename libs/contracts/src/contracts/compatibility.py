"""Says in what a set of event schemas breaks its promise to the last released one.

Two directions count. A new consumer reads events that were stored up to 30 days before it was built, and an
old consumer reads events of a producer that is newer. Together they leave one change inside a version:
*another optional field*. Everything that an existing field accepts stays as it is: less would refuse old events,
more (a further enum value, a longer text, null) would be refused by consumers that are not rebuilt yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from contracts.json_schema import Schema

_PROSE = {"description", "title", "examples", "deprecated", "$schema", "$id"}
"""Says something to people; nothing is accepted or refused by it."""

_ABOUT = "x-signoff"
_HANDLED = {"properties", "required", "$defs", _ABOUT}


def breaks(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """Every broken promise, a line each; empty if none is. Events that are new break nothing."""
    found: list[str] = []
    for name, before in sorted(released.items()):
        if name not in current:
            found.append(f"{name}: withdrawn, while streams and consumers may still have it")
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
    yield from _keywords("the event", _around(before), _around(now))


def _around(schema: Schema) -> Schema:
    about: Schema = schema.get(_ABOUT, {})
    return _without(schema, _HANDLED) | about


def _changed(what: str, before: Schema, now: Schema) -> Iterator[str]:
    """What differs in what a field accepts. Another type or list of values says it all; the rest follows from it."""
    before, before_null = _without_null(before)
    now, now_null = _without_null(now)
    if before_null and not now_null:
        yield f"{what} no longer accepts null"
    if now_null and not before_null:
        yield f"{what} may be null, which consumers do not know"
    if before.get("type") != now.get("type"):
        yield f"{what} changed type from {before.get('type')} to {now.get('type')}"
    elif ("enum" in before) != ("enum" in now):
        yield f"{what} {'lost' if 'enum' in before else 'got'} its list of values"
    else:
        yield from _values(what, before, now)
        if "items" in before | now:
            yield from _changed(f"each item of {what}", before.get("items", {}), now.get("items", {}))
        yield from _maps(what, before.get("patternProperties", {}), now.get("patternProperties", {}))
        # A default that only one of them has is told by `required`.
        one_sided = {"default"} - (before.keys() & now.keys())
        yield from _keywords(what, before, now, beside={"type", "enum", "items", "patternProperties"} | one_sided)


def _values(what: str, before: Schema, now: Schema) -> Iterator[str]:
    before_values, now_values = set(before.get("enum", ())), set(now.get("enum", ()))
    for value in sorted(before_values - now_values):
        yield f"{what} no longer accepts {value!r}, which stored events have"
    for value in sorted(now_values - before_values):
        yield f"{what} may be {value!r}, which consumers do not know"


def _maps(what: str, before: Schema, now: Schema) -> Iterator[str]:
    if before.keys() != now.keys():
        yield f"{what} changed the pattern of its keys from {', '.join(before)} to {', '.join(now)}"
    for pattern in before.keys() & now.keys():
        yield from _changed(f"each value of {what}", before[pattern], now[pattern])


def _keywords(what: str, before: Schema, now: Schema, *, beside: Collection[str] = ()) -> Iterator[str]:
    for keyword in sorted((before.keys() | now.keys()) - set(beside)):
        if before.get(keyword) != now.get(keyword):
            yield f"{what} changed {keyword} from {before.get(keyword)!r} to {now.get(keyword)!r}"


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    """A field that may be null as what it is else; true if it may."""
    choices = schema.get("anyOf", [])
    others = [choice for choice in choices if choice != {"type": "null"}]
    if len(choices) != 2 or len(others) != 1:
        return schema, False
    return _without(schema, {"anyOf"}) | others[0], True


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
