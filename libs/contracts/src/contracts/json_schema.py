"""The JSON Schema of each event, as `contracts.export` writes it and other systems read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.event import Event
from contracts.registry import EVENTS, newer_version

DIALECT = "https://json-schema.org/draft/2020-12/schema"
URN_PREFIX = "urn:signoff:schema:"
"""With the event's name it is what the `ce-dataschema` header says."""

Schema = dict[str, Any]


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles, which only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        cleaned: JsonSchemaValue = _without_class_names(super().generate(schema, mode))
        return cleaned


def _without_class_names(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_class_names(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_class_names(item) for key, item in node.items() if not _is_title(key, item)}


def _is_title(key: str, item: object) -> bool:
    # A field of that name would be a mapping.
    return key == "title" and isinstance(item, str)


def schema_of(event: type[Event], *, definitions: str = "#/$defs/{model}") -> Schema:
    """What a consumer of the event accepts. Unknown fields are, fields with a default may be absent.

    `x-signoff` says whose the event is and which fields make its subject and its order: they are as much
    of the promise as the fields. A version that has a newer one is deprecated.
    """
    schema = event.model_json_schema(schema_generator=_WithoutTitles, ref_template=definitions)
    about: Schema = {
        "$schema": DIALECT,
        "$id": URN_PREFIX + event.name(),
        "title": event.name(),
        "x-signoff": {"owner": event.owner, "key": event.key_field, "aggregate": event.aggregate_field},
    }
    if newer_version(event):
        about["deprecated"] = True
    return about | schema


def schemas() -> Mapping[str, Schema]:
    """The schema of every event, by its full name."""
    return {name: schema_of(EVENTS[name]) for name in sorted(EVENTS)}
