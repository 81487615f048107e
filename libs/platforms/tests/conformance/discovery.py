"""Google's discovery documents as a specification, with the protocols of upload that they name.

A schema there is a small language of its own: numbers of 64 bits are text, an absent property is always allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from libs.platforms.tests.conformance.exchange import Answered, Finding, Sent, as_pointer, read_json, read_parts

_RANGES = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32), "int64": (-(2**63), 2**63), "uint64": (0, 2**64)}
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_TEXT_FORMATS = {
    "date-time": _MOMENT,
    "google-datetime": _MOMENT,
    "google-duration": re.compile(r"-?\d+(\.\d{1,9})?s"),
    "byte": re.compile(r"[A-Za-z0-9+/_-]*={0,2}"),
    "int64": re.compile(r"-?\d+"),
    "uint64": re.compile(r"\d+"),
}
INCOMPLETE = 308
"""Of a resumable upload: go on. https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol"""


@dataclass(frozen=True)
class Method:
    """One method at one of its paths. `is_upload`: the path that takes media."""

    route: str
    document: Mapping[str, Any]
    parent: Mapping[str, Any]
    pattern: re.Pattern[str]
    is_upload: bool


class Discovery:
    """Satisfies `Specification` for the documents of one platform together."""

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self._documents = documents

    def route(self, sent: Sent) -> str | None:
        method = self._method(sent)
        return method.route if method else None

    def request_findings(self, sent: Sent) -> Iterator[Finding]:
        method = self._method(sent)
        assert method
        if _is_session(sent):
            return
        yield from _parameter_findings(method, sent)
        yield from _body_findings(method, sent)

    def answer_findings(self, sent: Sent, answered: Answered) -> Iterator[Finding]:
        method = self._method(sent)
        assert method
        begins = _kind_of_upload(sent) == "resumable" and not _is_session(sent)
        if answered.status >= 400:
            yield from _error_findings(answered)
        elif answered.status == INCOMPLETE and _is_session(sent):
            if answered.body:
                yield "/body", "unknown_body", "308 has no body"
        elif answered.status == 200 and method.is_upload and begins:
            if "location" not in answered.headers:
                yield "/header/location", "required", "the session's address is missing"
        elif "response" not in method.document:
            if answered.body:
                yield "/body", "unknown_body", "it answers nothing"
        elif answered.status not in (200, 201):
            yield "/status", "unknown_status", f"{answered.status} is neither success nor an error"
        else:
            yield from _json_findings(method, method.document["response"], answered.body)

    @cached_property
    def _methods(self) -> Sequence[tuple[str, Method]]:
        found = [entry for document in self._documents for entry in _methods_of(document, document)]
        return sorted(found, key=lambda entry: entry[1].route.count("{"))

    def _method(self, sent: Sent) -> Method | None:
        """A session's address is the upload's path, whatever the method is that the media come with."""
        verbs = (sent.method, "POST", "PUT") if _is_session(sent) else (sent.method,)
        return next((m for verb, m in self._methods if verb in verbs and m.pattern.fullmatch(sent.path)), None)


def _methods_of(node: Mapping[str, Any], parent: Mapping[str, Any]) -> Iterator[tuple[str, Method]]:
    for method in node.get("methods", {}).values():
        protocols = method.get("mediaUpload", {}).get("protocols", {})
        paths = [("/" + parent["servicePath"] + method["path"], False)]
        paths += [(protocol["path"], True) for protocol in protocols.values()]
        for path, is_upload in paths:
            pattern = re.sub(r"\\\{(?:\\\+)?(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
            verb = method["httpMethod"]
            yield verb, Method(f"{verb} {path}", method, parent, re.compile(pattern), is_upload)
    for resource in node.get("resources", {}).values():
        yield from _methods_of(resource, parent)


def _kind_of_upload(sent: Sent) -> str:
    return dict(sent.query).get("uploadType", "")


def _is_session(sent: Sent) -> bool:
    return "upload_id" in dict(sent.query)


def _parameter_findings(method: Method, sent: Sent) -> Iterator[Finding]:
    declared = {**method.parent.get("parameters", {}), **method.document.get("parameters", {})}
    path = method.pattern.fullmatch(sent.path)
    assert path
    given: dict[str, list[str]] = {name: [value] for name, value in path.groupdict().items()}
    for name, value in sent.query:
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        pointer = as_pointer(declared.get(name, {}).get("location", "query"), name)
        if name not in declared:
            yield pointer, "unknown_parameter", "it is not published"
            continue
        if len(values) > 1 and not declared[name].get("repeated"):
            yield pointer, "repeated", "it is given more than once"
        for value in values:
            yield from _value_findings(declared[name], value, pointer)
    for name, parameter in declared.items():
        if parameter.get("required") and name not in given:
            yield as_pointer(parameter["location"], name), "required", "it is missing"


def _value_findings(parameter: Mapping[str, Any], text: str, pointer: str) -> Iterator[Finding]:
    kind = parameter.get("type", "string")
    form = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "true|false"}.get(kind)
    if form and not re.fullmatch(form, text):
        yield pointer, "type", f"it is no {kind}"
        return
    if "enum" in parameter and text not in parameter["enum"]:
        yield pointer, "enum", f"it is none of {parameter['enum']}"
    if "pattern" in parameter and not re.fullmatch(parameter["pattern"], text):
        yield pointer, "pattern", f"it is not like {parameter['pattern']}"
    if kind == "integer":
        low, high = int(parameter.get("minimum", text)), int(parameter.get("maximum", text))
        if not low <= int(text) <= high:
            yield pointer, "range", f"it is not from {low} to {high}"


def _body_findings(method: Method, sent: Sent) -> Iterator[Finding]:
    upload = _kind_of_upload(sent)
    if method.is_upload and upload not in ("media", "multipart", "resumable"):
        yield "/query/uploadType", "required", "an upload says which of media, multipart and resumable it is"
        return
    if sent.body is None or (method.is_upload and upload == "media"):
        return
    reference, body = method.document.get("request"), sent.body
    if upload == "multipart":
        parts = read_parts(sent.body, sent.headers.get("content-type", ""))
        if len(parts) != 2 or parts[0][1] != "application/json":
            yield "/body", "syntax", "a multipart upload is a part of JSON and a part of media"
            return
        body = parts[0][2]
    if reference is None:
        if body:
            yield "/body", "unknown_body", "it takes no body"
    elif not body:
        yield "/body", "required", "it is missing"
    else:
        yield from _json_findings(method, reference, body)


def _error_findings(answered: Answered) -> Iterator[Finding]:
    """https://developers.google.com/youtube/v3/docs/errors: the error repeats the status and says more."""
    try:
        error = read_json(answered.body)["error"]
        if error["code"] != answered.status or not isinstance(error["message"], str):
            yield "/body/error/code", "const", "an error repeats the status and has a message"
    except (ValueError, KeyError, TypeError):
        yield "/body/error", "required", "an error has a code and a message"


def _json_findings(method: Method, reference: Mapping[str, str], body: bytes) -> Iterator[Finding]:
    try:
        value = read_json(body)
    except (ValueError, json.JSONDecodeError) as error:
        yield "/body", "syntax", str(error)
        return
    yield from _schema_findings(method.parent["schemas"], reference, value, "/body")


def _schema_findings(
    schemas: Mapping[str, Any], schema: Mapping[str, Any], value: Any, pointer: str
) -> Iterator[Finding]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    match schema.get("type"):
        case "object":
            if not isinstance(value, dict):
                yield pointer, "type", "it is no object"
                return
            for name, entry in value.items():
                below = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
                if below is None:
                    yield pointer + as_pointer(name), "unknown_property", "it is not published"
                else:
                    yield from _schema_findings(schemas, below, entry, pointer + as_pointer(name))
        case "array":
            if not isinstance(value, list):
                yield pointer, "type", "it is no array"
                return
            for index, entry in enumerate(value):
                yield from _schema_findings(schemas, schema["items"], entry, f"{pointer}/{index}")
        case "any":
            return
        case _:
            yield from _scalar_findings(schema, value, pointer)


def _scalar_findings(schema: Mapping[str, Any], value: Any, pointer: str) -> Iterator[Finding]:
    kind, form = str(schema.get("type")), schema.get("format", "")
    if not isinstance(value, _PYTHON[kind]) or (kind != "boolean" and isinstance(value, bool)):
        yield pointer, "type", f"it is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield pointer, "enum", f"{value!r} is none of {schema['enum']}"
    if not _has_format(form, value):
        yield pointer, "format", f"{value!r} is no {form}"


def _has_format(form: str, value: Any) -> bool:
    if isinstance(value, str) and form in _TEXT_FORMATS and not _TEXT_FORMATS[form].fullmatch(value):
        return False
    return form not in _RANGES or _RANGES[form][0] <= int(value) < _RANGES[form][1]
