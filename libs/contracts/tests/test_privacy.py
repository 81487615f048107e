"""No event can carry personal data or content: there is no field that would take a sentence, a name or a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from contracts.json_schema import schemas
from contracts.registry import EVENTS

SCHEMAS = schemas()

TELLING = re.compile(
    r"e?mail|phone|(^|_)name|full_name|handle|avatar|title|text|caption|comment|body|content(?!_hash)|description"
    r"|token|secret|password|key$|ip_address|user_agent|url"
)

WORDY = "ä b, <c>"
"""What free text has and an id, a word or a number of ours has not."""


def strings(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place in a schema that takes a string."""
    if isinstance(node, list):
        for item in node:
            yield from strings(item, place)
    if isinstance(node, dict):
        if node.get("type") == "string":
            yield place, node
        for key, item in node.items():
            yield from strings(item, f"{place}/{key}")


@pytest.mark.promise("P22")
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_field_takes_free_text(name: str):
    for place, schema in strings(SCHEMAS[name]):
        closed = "enum" in schema or schema.get("format") in {"uuid", "date-time"}
        assert closed or "pattern" in schema, f"{place} takes any text"
        if "pattern" in schema:
            assert not re.search(schema["pattern"], WORDY), f"{place} takes sentences"
            assert schema.get("maxLength", 300) <= 300, f"{place} is long enough for a text"


@pytest.mark.promise("P22")
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_field_is_called_like_something_personal(name: str):
    found = [field for field in EVENTS[name].model_fields if TELLING.search(field)]
    assert not found


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_maps_are_keyed_by_words_and_no_field_takes_anything(name: str):
    for place, schema in SCHEMAS[name]["properties"].items():
        kinds = schema.keys() & {"type", "$ref", "anyOf", "enum"}
        assert kinds, f"{place} takes anything"
        if schema.get("type") == "object":
            assert list(schema["patternProperties"].values()) == [{"type": "integer"}]


@pytest.mark.parametrize("field", ["email", "full_name", "display_name", "caption", "access_token", "api_key", "title"])
def test_the_list_of_telling_names_bites(field: str):
    assert TELLING.search(field)
