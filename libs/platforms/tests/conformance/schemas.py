"""Values against the schemas of an OpenAPI 3.0 document, each named by its JSON pointer in it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT4

from libs.platforms.tests.conformance.exchange import FilePart, Finding, as_pointer

FORMATS = FormatChecker(formats=())
_ADDRESS = "published:"
_DEPTH_MAX = 40
"""Schemas may contain themselves; no document is nested deeper."""


class Schemas:
    """The schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._registry: Registry[Any] = Registry().with_resource(_ADDRESS, DRAFT4.create_resource(document))

    def resolved(self, pointer: str) -> tuple[str, Mapping[str, Any]]:
        """What a pointer leads to, after every reference, and where that stands."""
        for _ in range(_DEPTH_MAX):
            value: Any = self._document
            for step in pointer.split("/")[1:]:
                value = value[int(step) if isinstance(value, list) else step.replace("~1", "/").replace("~0", "~")]
            if "$ref" not in value:
                return pointer, value
            pointer = value["$ref"].removeprefix("#")
        raise ValueError(f"{pointer} never ends")

    def findings(self, pointer: str, value: Any, place: str) -> Iterator[Finding]:
        """What is wrong with a value, and which of its properties the schema does not know."""
        validator = _Validator({"$ref": f"{_ADDRESS}#{pointer}"}, registry=self._registry, format_checker=FORMATS)
        for error in validator.iter_errors(value):
            if not isinstance(error.instance, FilePart):
                yield place + as_pointer(*error.absolute_path), str(error.validator), _message(error)
        yield from self._unknown([pointer], value, place)

    def types(self, pointer: str) -> set[str]:
        """Every JSON type the schema allows, however it is composed."""
        return {str(schema["type"]) for _, schema in self._composing(pointer, None) if "type" in schema}

    def coerced(self, text: str, pointer: str) -> Any:
        """A value that came as text (in a query, a form), as the type its schema wants."""
        types = self.types(pointer)
        if isinstance(text, FilePart) or not types or "string" in types:
            return text
        if "integer" in types and re.fullmatch(r"-?\d+", text):
            return int(text)
        if "number" in types and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text)
        if "boolean" in types and text in ("true", "false"):
            return text == "true"
        return text

    def coerced_property(self, text: str, pointer: str, name: str) -> Any:
        for at, schema in self._composing(pointer, None):
            if name in schema.get("properties", {}):
                below = at + as_pointer("properties", name)
                if "array" in self.types(below):
                    return [self.coerced(piece, below + "/items") for piece in text.split(",")]
                return self.coerced(text, below)
        return text

    def _unknown(self, pointers: list[str], value: Any, place: str) -> Iterator[Finding]:
        """Properties that no schema which composes this one names, unless one of them is open on purpose."""
        if len(place) > 2000 or not isinstance(value, dict | list):
            return
        schemas = [found for pointer in pointers for found in self._composing(pointer, value)]
        if isinstance(value, list):
            items = [at + "/items" for at, schema in schemas if "items" in schema]
            for index, entry in enumerate(value if items else []):
                yield from self._unknown(items, entry, f"{place}/{index}")
            return
        is_open = any(schema.get("additionalProperties") for _, schema in schemas)
        is_described = any("properties" in s or s.get("additionalProperties") is False for _, s in schemas)
        for name, entry in value.items():
            below = [at + as_pointer("properties", name) for at, s in schemas if name in s.get("properties", {})]
            if below:
                yield from self._unknown(below, entry, place + as_pointer(name))
            elif is_described and not is_open:
                yield place + as_pointer(name), "unknown_property", "it is not published"

    def _composing(self, pointer: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """A schema and all that it is made of; where a discriminator decides, only what it chose."""
        if depth > _DEPTH_MAX:
            return
        at, schema = self.resolved(pointer)
        yield at, schema
        chosen = _chosen(schema, value)
        for word in ("allOf", "oneOf", "anyOf"):
            if chosen and word != "allOf":
                continue
            for index in range(len(schema.get(word, ()))):
                yield from self._composing(at + as_pointer(word, index), value, depth + 1)
        if chosen and chosen != f"#{at}" and depth < 2:
            yield from self._composing(chosen.removeprefix("#"), value, depth + 1)


def _chosen(schema: Mapping[str, Any], value: Any) -> str | None:
    """The reference that the discriminator leads to for this value."""
    discriminator = schema.get("discriminator")
    if not discriminator or not isinstance(value, dict):
        return None
    word = value.get(discriminator["propertyName"])
    if not isinstance(word, str):
        return None
    reference: str | None = discriminator.get("mapping", {}).get(word)
    if reference and not reference.startswith("#"):
        return f"#/components/schemas/{reference}"
    return reference


Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def _unless_null(keyword: Keyword) -> Keyword:
    """`nullable` means that null is right, whatever else the schema says."""

    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not (instance is None and schema.get("nullable")):
            yield from keyword(validator, wanted, instance, schema) or ()

    return check


def _by_discriminator(keyword: Keyword) -> Keyword:
    """`oneOf` and `anyOf`, where the discriminator names the one."""

    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        chosen = _chosen(schema, instance)
        if chosen:
            yield from validator.descend(instance, {"$ref": chosen})
        else:
            yield from keyword(validator, wanted, instance, schema) or ()

    return check


def _additional(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """What is forbidden by `false` is found as unknown, once."""
    if wanted is not False:
        yield from Draft4Validator.VALIDATORS["additionalProperties"](validator, wanted, instance, schema) or ()


def _message(error: ValidationError) -> str:
    deepest = best_match([error]) or error
    where = as_pointer(*deepest.absolute_path) if deepest is not error else ""
    return f"{where + ': ' if where else ''}{deepest.message[:200]}"


_KEYWORDS: dict[str, Keyword] = dict(Draft4Validator.VALIDATORS)
_KEYWORDS["oneOf"] = _by_discriminator(_KEYWORDS["oneOf"])
_KEYWORDS["anyOf"] = _by_discriminator(_KEYWORDS["anyOf"])
_KEYWORDS["additionalProperties"] = _additional
_Validator = extend(Draft4Validator, {word: _unless_null(check) for word, check in _KEYWORDS.items() if word != "$ref"})


@FORMATS.checks("date-time", ValueError)
def _is_moment(value: object) -> bool:
    if isinstance(value, str):
        datetime.fromisoformat(value)
        return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value) is not None
    return True


@FORMATS.checks("date", ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value))


@FORMATS.checks("byte", binascii.Error)
def _is_base64(value: object) -> bool:
    return not isinstance(value, str) or base64.b64decode(value, validate=True) is not None


@FORMATS.checks("int32")
def _fits_32_bits(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@FORMATS.checks("int64")
def _fits_64_bits(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63
