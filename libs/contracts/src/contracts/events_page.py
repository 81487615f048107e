"""docs/events.md: what can be listened to, for people."""

from __future__ import annotations

from typing import Any

from contracts.event import Event
from contracts.json_schema import Schema, schema_of
from contracts.markdown import table
from contracts.registry import EVENTS, is_told, newer_version
from contracts.topology import STREAM_MAX_AGE, listeners_of, producers_of, stream_of

_INTRODUCTION = f"""# Events

Written by `make contracts` from `libs/contracts`; edit there.

Every event is a message on NATS JetStream: CloudEvents 1.0 headers, a JSON body of ids, states and times. Its
subject is its name and its key, `post.approved.v1.<workspace_id>`; events of one aggregate arrive in order;
streams keep {STREAM_MAX_AGE.days} days. Schemas are in `libs/contracts/schemas`, an example of each in
`libs/contracts/samples`, the same as AsyncAPI 3.0 in `libs/contracts/asyncapi/signoff.json`. How another system
listens, and what it can count on: [subscribing.md](subscribing.md).
"""


def page() -> str:
    events = sorted(EVENTS.values(), key=lambda event: (event.owner, event.name()))
    overview = table(
        ("event", "told by", "stream", "key", "aggregate", "who listens"),
        [_overview_row(event) for event in events],
    )
    return "\n".join([_INTRODUCTION, overview, *(_section(event) for event in events)])


def _overview_row(event: type[Event]) -> tuple[str, ...]:
    return (
        f"[{event.name()}](#{event.name().replace('.', '')})",
        ", ".join(producers_of(event)),
        stream_of(event).name,
        event.key_field,
        event.aggregate_field,
        ", ".join(listeners_of(event)) or "–",
    )


def _section(event: type[Event]) -> str:
    schema = schema_of(event)
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`" + ("" if name in required else " (optional)"), _kind(field, schema))
        for name, field in schema["properties"].items()
    ]
    paragraphs = [f"## {event.name()}", *_standing(event), " ".join((event.__doc__ or "").split())]
    return "\n\n".join([*paragraphs, table(("field", "value"), rows)])


def _standing(event: type[Event]) -> list[str]:
    """What a reader of an older version should know first."""
    newer = newer_version(event)
    if newer is None:
        return []
    link = f"[{newer.name()}](#{newer.name().replace('.', '')})"
    if is_told(event):
        return [f"Older version: take {link}. Told beside it, with the same `ce-id`, while a consumer is behind."]
    return [f"Older version: take {link}. No longer told; what the stream still holds becomes the newer one."]


def _kind(field: dict[str, Any], schema: Schema) -> str:
    """A field's type in a reader's words."""
    if "$ref" in field:
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    if "enum" in field:
        return "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(choice, schema) for choice in field["anyOf"])
    if field["type"] == "array":
        return f"list of {_kind(field['items'], schema)}"
    if field["type"] == "object":
        (of,) = field["patternProperties"].values()
        return f"map of words to {_kind(of, schema)}"
    known = {"uuid": "id", "date-time": "time with offset"}
    return known.get(field.get("format", "")) or ("word" if field["type"] == "string" else field["type"])
