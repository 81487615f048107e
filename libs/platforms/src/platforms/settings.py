"""A platform's post settings as a typed struct: its JSON Schema for forms, its mistakes as violations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from platforms.shape import Violation

Settings = TypeVar("Settings", bound=msgspec.Struct)


def schema_of(settings: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The JSON Schema of a settings struct, written out without references."""
    (document,), definitions = msgspec.json.schema_components([settings], ref_template="{name}")
    own: dict[str, Any] = dict(_written_out(definitions[document["$ref"]], definitions))
    own["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return own


def _written_out(node: Any, definitions: Mapping[str, Any]) -> Any:
    """The node with each definition in the place of its reference; settings never hold themselves."""
    if isinstance(node, list):
        return [_written_out(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        named = {name: value for name, value in node.items() if name != "$ref"}
        return _written_out(definitions[node["$ref"]], definitions) | named
    return {name: _written_out(value, definitions) for name, value in node.items()}


@cache
def _known(struct: type[msgspec.Struct]) -> Mapping[str, FieldInfo]:
    """Found out once: it evaluates the annotations, and every post is checked twice."""
    return {field.name: field for field in fields(struct)}


def mistakes_in(settings: Mapping[str, Any], struct: type[msgspec.Struct]) -> list[Violation]:
    """Every field that is missing, unknown or of the wrong form; an empty list means `convert` succeeds."""
    known = _known(struct)
    found = [
        Violation("setting_unknown", f"/settings/{name}", f"This platform has no setting called “{name}”.")
        for name in settings
        if name not in known
    ]
    for name, field in known.items():
        if name not in settings:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                found.append(Violation("setting_missing", f"/settings/{name}", f"Choose a value for “{name}”."))
            continue
        try:
            msgspec.convert(settings[name], field.type)
        except msgspec.ValidationError as error:
            found.append(Violation("setting_invalid", f"/settings/{name}", f"“{name}”: {error}."))
    return found
