"""AT Protocol lexicons as a specification of XRPC: parameters, bodies, records inside them, names of errors.

A lexicon's objects are open by its rules; here a field that no lexicon names is a deviation, since it may be misspelt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import regex

from libs.platforms.tests.conformance.exchange import Answered, Finding, Sent, as_pointer, read_json
from libs.platforms.tests.conformance.syntax import FORMATS, is_cid, is_tid

PREFIX = "/xrpc/"
GENERIC_ERRORS = {
    "InvalidRequest": 400,
    "ExpiredToken": 400,
    "InvalidToken": 400,
    "AuthenticationRequired": 401,
    "AuthMissing": 401,
    "Forbidden": 403,
    "XRPCNotSupported": 404,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
    "RateLimitExceeded": 429,
    "InternalServerError": 500,
    "MethodNotImplemented": 501,
    "UpstreamFailure": 502,
    "NotEnoughResources": 503,
    "UpstreamTimeout": 504,
}
"""Any method may answer these: those of a status (https://atproto.com/specs/xrpc) and those of tokens."""

Definition = Mapping[str, Any]


class Lexicons:
    """Satisfies `Specification` for every method in a folder of lexicons, a file read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = cache(self._read_file)

    def route(self, sent: Sent) -> str | None:
        method = sent.path.removeprefix(PREFIX)
        if not sent.path.startswith(PREFIX) or "/" in method or not (main := self._read(method).get("main")):
            return None
        verb = {"query": "GET", "procedure": "POST"}.get(main["type"])
        return f"{verb} {PREFIX}{method}" if verb == sent.method else None

    def request_findings(self, sent: Sent) -> Iterator[Finding]:
        method, main = self._main(sent)
        yield from self._parameter_findings(method, main.get("parameters", {}), sent)
        expected = main.get("input")
        if expected is None:
            if sent.body:
                yield "/body", "unknown_body", "it takes no body"
            return
        if not fnmatchcase(sent.content_type, expected["encoding"]):
            yield "/header/content-type", "content_type", f"{sent.content_type or 'none'} is not {expected['encoding']}"
        elif "schema" in expected and sent.body is not None:
            yield from self._json_findings(method, expected["schema"], sent.body)

    def answer_findings(self, sent: Sent, answered: Answered) -> Iterator[Finding]:
        method, main = self._main(sent)
        if answered.status >= 400:
            yield from _error_findings(main, answered)
            return
        expected = main.get("output")
        if answered.status != 200:
            yield "/status", "unknown_status", f"{answered.status} is neither 200 nor an error"
        elif expected is None:
            if answered.body not in (b"", b"{}"):
                yield "/body", "unknown_body", "it answers nothing"
        elif not fnmatchcase(answered.content_type, expected["encoding"]):
            yield "/header/content-type", "content_type", f"{answered.content_type} is not {expected['encoding']}"
        elif "schema" in expected:
            yield from self._json_findings(method, expected["schema"], answered.body)

    def record_findings(self, record: Any, pointer: str = "") -> Iterator[Finding]:
        """What is wrong with a record, by the lexicon that its `$type` names."""
        name = record.get("$type") if isinstance(record, dict) else None
        main = self._read(name).get("main") if isinstance(name, str) else None
        if main is None or main["type"] != "record":
            yield pointer + "/$type", "unknown_type", f"{name} is no record's type"
            return
        yield from self._findings(str(name), main["record"], record, pointer)

    def _main(self, sent: Sent) -> tuple[str, Definition]:
        method = sent.path.removeprefix(PREFIX)
        return method, self._read(method)["main"]

    def _read_file(self, name: str) -> Mapping[str, Definition]:
        file = self._folder.joinpath(*name.split(".")).with_suffix(".json")
        definitions: Mapping[str, Definition] = json.loads(file.read_text())["defs"] if file.is_file() else {}
        return definitions

    def _parameter_findings(self, method: str, declared: Definition, sent: Sent) -> Iterator[Finding]:
        given: dict[str, list[str]] = {}
        for name, value in sent.query:
            given.setdefault(name, []).append(value)
        known = declared.get("properties", {})
        for name, values in given.items():
            pointer = as_pointer("query", name)
            if name not in known:
                yield pointer, "unknown_parameter", "it is not published"
            elif known[name]["type"] == "array":
                read: Any = [_parameter(known[name]["items"], value) for value in values]
                yield from self._findings(method, known[name], read, pointer)
            elif len(values) > 1:
                yield pointer, "repeated", "it is given more than once"
            else:
                yield from self._findings(method, known[name], _parameter(known[name], values[0]), pointer)
        for name in declared.get("required", ()):
            if name not in given:
                yield as_pointer("query", name), "required", "it is missing"

    def _json_findings(self, method: str, schema: Definition, body: bytes) -> Iterator[Finding]:
        try:
            value = read_json(body)
        except (ValueError, json.JSONDecodeError) as error:
            yield "/body", "syntax", str(error)
            return
        yield from self._findings(method, schema, value, "/body")
        if isinstance(value, dict) and {"collection", "rkey", "record"} <= value.keys():
            yield from self._key_findings(str(value["collection"]), value["rkey"], value["record"])

    def _key_findings(self, collection: str, rkey: Any, record: Any) -> Iterator[Finding]:
        """A record's key is of the kind that its lexicon asks for, and its type that of the collection."""
        kind = self._read(collection).get("main", {}).get("key", "any")
        literal = kind.removeprefix("literal:") if kind.startswith("literal:") else None
        if (kind == "tid" and not is_tid(str(rkey))) or (literal is not None and rkey != literal):
            yield "/body/rkey", "format", f"{rkey} is no key of kind {kind}"
        if isinstance(record, dict) and record.get("$type") != collection:
            yield "/body/record/$type", "const", f"{record.get('$type')} is not {collection}"

    def _findings(self, home: str, schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
        """`home` is the lexicon that relative references start from."""
        match schema["type"]:
            case "ref":
                yield from self._named_findings(home, schema["ref"], value, pointer)
            case "union":
                yield from self._union_findings(home, schema, value, pointer)
            case "object":
                yield from self._object_findings(home, schema, value, pointer)
            case "array":
                yield from self._array_findings(home, schema, value, pointer)
            case "unknown":
                if not isinstance(value, dict):
                    yield pointer, "type", "it is no object"
                elif "$type" in value:
                    yield from self.record_findings(value, pointer)
            case "blob":
                yield from _blob_findings(schema, value, pointer)
            case _:
                yield from _scalar_findings(schema, value, pointer)

    def _named_findings(self, home: str, reference: str, value: Any, pointer: str) -> Iterator[Finding]:
        name, _, part = reference.partition("#")
        definition = self._read(name or home)[part or "main"]
        if definition["type"] == "record":
            definition = definition["record"]
        yield from self._findings(name or home, definition, value, pointer)

    def _union_findings(self, home: str, schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
        kind = value.get("$type") if isinstance(value, dict) else None
        if kind is None:
            yield pointer + "/$type", "required", "a union's value says what it is"
            return
        names = {_absolute(home, reference): reference for reference in schema["refs"]}
        if kind in names:
            yield from self._named_findings(home, names[kind], value, pointer)
        else:
            # Open unions allow what is not known yet; what is sent today should be.
            yield pointer + "/$type", "union", f"{kind} is none of {', '.join(names)}"

    def _object_findings(self, home: str, schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield pointer, "type", "it is no object"
            return
        properties, nullable = schema.get("properties", {}), schema.get("nullable", ())
        for name in schema.get("required", ()):
            if name not in value:
                yield pointer + as_pointer(name), "required", "it is missing"
        for name, entry in value.items():
            below = pointer + as_pointer(name)
            if name == "$type":
                continue
            if name not in properties:
                yield below, "unknown_property", "it is not published"
            elif not (entry is None and name in nullable):
                yield from self._findings(home, properties[name], entry, below)

    def _array_findings(self, home: str, schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield pointer, "type", "it is no array"
            return
        yield from _length_findings(schema, len(value), pointer)
        for index, entry in enumerate(value):
            yield from self._findings(home, schema["items"], entry, f"{pointer}/{index}")


def _absolute(home: str, reference: str) -> str:
    name, _, part = reference.partition("#")
    return (name or home) + (f"#{part}" if part and part != "main" else "")


def _parameter(schema: Definition, text: str) -> Any:
    """A parameter as its type wants it; what does not fit stays text and is found."""
    if schema["type"] == "integer" and text.lstrip("-").isdigit():
        return int(text)
    if schema["type"] == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _error_findings(main: Definition, answered: Answered) -> Iterator[Finding]:
    try:
        document = read_json(answered.body)
        name, message = document["error"], document.get("message", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        yield "/body/error", "required", "an error has a name"
        return
    for extra in document.keys() - {"error", "message"}:
        yield "/body" + as_pointer(extra), "unknown_property", "an error has a name and a message"
    if not isinstance(message, str):
        yield "/body/message", "type", "a message is text"
    declared = [error["name"] for error in main.get("errors", ())]
    if name in declared:
        return
    if name not in GENERIC_ERRORS:
        yield "/body/error", f"error_name:{name}", f"{name} is none of {', '.join([*declared, 'the generic ones'])}"
    elif GENERIC_ERRORS[name] != answered.status:
        yield "/status", "error_status", f"{name} has status {GENERIC_ERRORS[name]}, not {answered.status}"


def _blob_findings(schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
    if not isinstance(value, dict) or value.keys() != {"$type", "ref", "mimeType", "size"} or value["$type"] != "blob":
        yield pointer, "type", "a blob has $type, ref, mimeType and size"
        return
    link = value["ref"].get("$link") if isinstance(value["ref"], dict) else None
    if not isinstance(link, str) or not is_cid(link):
        yield pointer + "/ref", "format", "a blob's ref is a link"
    kind, size = value["mimeType"], value["size"]
    if not any(fnmatchcase(str(kind), accepted) for accepted in schema.get("accept", ["*"])):
        yield pointer + "/mimeType", "accept", f"{kind} is none of {schema['accept']}"
    if not isinstance(size, int) or not 0 <= size <= schema.get("maxSize", size):
        yield pointer + "/size", "maxSize", f"{size} is not up to {schema.get('maxSize')}"


def _scalar_findings(schema: Definition, value: Any, pointer: str) -> Iterator[Finding]:
    kind = schema["type"]
    python = {"string": str, "boolean": bool, "integer": int, "bytes": dict, "cid-link": dict, "token": str}[kind]
    if not isinstance(value, python) or (kind == "integer" and isinstance(value, bool)):
        yield pointer, "type", f"it is no {kind}"
        return
    for word in ("const", "enum"):
        if word in schema and value not in ([schema[word]] if word == "const" else schema[word]):
            yield pointer, word, f"{value!r} is not {schema[word]}"
    if isinstance(value, str):
        if "format" in schema and not FORMATS[schema["format"]](value):
            yield pointer, "format", f"{value!r} is no {schema['format']}"
        yield from _length_findings(schema, len(value.encode()), pointer)
        if "maxGraphemes" in schema and len(regex.findall(r"\X", value)) > schema["maxGraphemes"]:
            yield pointer, "maxGraphemes", f"it has more than {schema['maxGraphemes']} graphemes"
    elif kind == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield pointer, "range", f"{value} is not from {schema.get('minimum')} to {schema.get('maximum')}"


def _length_findings(schema: Definition, length: int, pointer: str) -> Iterator[Finding]:
    if length > schema.get("maxLength", length):
        yield pointer, "maxLength", f"{length} is more than {schema['maxLength']}"
    if length < schema.get("minLength", 0):
        yield pointer, "minLength", f"{length} is less than {schema['minLength']}"
