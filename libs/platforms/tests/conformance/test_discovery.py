"""The judge of Google's discovery documents lets right exchanges pass and names what is wrong with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.platforms.tests.conformance import Answered, Sent
from libs.platforms.tests.conformance.discovery import Discovery
from libs.platforms.tests.conformance.exchange import deviations

VIDEO = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "privacy": {"type": "string", "enum": ["public", "private"]},
        "views": {"type": "string", "format": "uint64"},
        "at": {"type": "string", "format": "date-time"},
        "width": {"type": "integer", "format": "uint32"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "parent": {"$ref": "Video"},
        "rest": {"type": "object", "additionalProperties": {"type": "any"}},
    },
}
PART = {"location": "query", "repeated": True, "required": True, "type": "string"}
LIMIT = {"location": "query", "type": "integer", "minimum": "0", "maximum": "50"}
DOCUMENT: dict[str, Any] = {
    "servicePath": "",
    "parameters": {
        "alt": {"location": "query", "type": "string", "enum": ["json"]},
        "uploadType": {"location": "query", "type": "string"},
    },
    "schemas": {"Video": VIDEO},
    "resources": {
        "videos": {
            "methods": {
                "insert": {
                    "httpMethod": "POST",
                    "path": "v3/videos",
                    "parameters": {"part": PART, "notify": {"location": "query", "type": "boolean"}},
                    "request": {"$ref": "Video"},
                    "response": {"$ref": "Video"},
                    "mediaUpload": {"protocols": {"resumable": {"path": "/upload/v3/videos"}}},
                },
                "get": {
                    "httpMethod": "GET",
                    "path": "v3/videos/{id}",
                    "parameters": {
                        "id": {"location": "path", "required": True, "type": "string", "pattern": "[a-z]+"},
                        "limit": LIMIT,
                    },
                    "response": {"$ref": "Video"},
                },
                "delete": {"httpMethod": "DELETE", "path": "v3/videos", "parameters": {}},
            }
        }
    },
}
JSON = {"content-type": "application/json"}
ERROR = {"error": {"code": 404, "message": "gone", "errors": []}}


@pytest.fixture(scope="module")
def published() -> Discovery:
    return Discovery([DOCUMENT])


def wrong(published: Discovery, sent: Sent, answered: Answered | None = None) -> list[tuple[str, str]]:
    return [(found.pointer, found.rule) for found in deviations(published, sent, answered)]


def inserted(body: Any) -> Sent:
    return Sent("POST", "/v3/videos", [("part", "id"), ("part", "x")], JSON, json.dumps(body).encode())


def test_what_is_right_passes_in_both_directions(published: Discovery) -> None:
    video = {"id": "a", "privacy": "public", "views": "12", "at": "2026-11-22T10:00:00Z", "width": 3, "tags": ["x"]}
    body = video | {"parent": video, "rest": {"anything": [1]}}
    assert wrong(published, inserted(body)) == []
    assert wrong(published, inserted(body), Answered(200, JSON, json.dumps(body).encode())) == []
    assert wrong(published, Sent("GET", "/v3/videos/abc", [("alt", "json"), ("limit", "50")])) == []


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"views": 12}, "/body/views", "type"),
        ({"views": "-1"}, "/body/views", "format"),
        ({"views": str(2**64)}, "/body/views", "format"),
        ({"at": "yesterday"}, "/body/at", "format"),
        ({"privacy": "hidden"}, "/body/privacy", "enum"),
        ({"width": 1.5}, "/body/width", "type"),
        ({"width": True}, "/body/width", "type"),
        ({"width": -1}, "/body/width", "format"),
        ({"tags": "x"}, "/body/tags", "type"),
        ({"tags": ["x", 1]}, "/body/tags/1", "type"),
        ({"parent": {"parent": {"idd": ""}}}, "/body/parent/parent/idd", "unknown_property"),
        ([], "/body", "type"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(published: Discovery, body: Any, pointer: str, rule: str) -> None:
    assert wrong(published, inserted(body)) == [(pointer, rule)]
    assert wrong(published, inserted({}), Answered(200, JSON, json.dumps(body).encode())) == [(pointer, rule)]


@pytest.mark.parametrize(
    ("sent", "pointer", "rule"),
    [
        (Sent("GET", "/v3/nothing"), "", "unknown_route"),
        (Sent("POST", "/v3/videos", (), JSON, b"{}"), "/query/part", "required"),
        (Sent("POST", "/v3/videos", [("part", "id")], JSON), "/body", "required"),
        (Sent("POST", "/v3/videos", [("part", "id")], JSON, b"{"), "/body", "syntax"),
        (Sent("POST", "/v3/videos", [("part", "id"), ("notify", "1")], JSON, b"{}"), "/query/notify", "type"),
        (Sent("GET", "/v3/videos/ABC"), "/path/id", "pattern"),
        (Sent("GET", "/v3/videos/abc", [("limit", "51")]), "/query/limit", "range"),
        (Sent("GET", "/v3/videos/abc", [("limit", "5"), ("limit", "6")]), "/query/limit", "repeated"),
        (Sent("GET", "/v3/videos/abc", [("limits", "5")]), "/query/limits", "unknown_parameter"),
        (Sent("GET", "/v3/videos/abc", [("alt", "xml")]), "/query/alt", "enum"),
        (Sent("DELETE", "/v3/videos", (), JSON, b"{}"), "/body", "unknown_body"),
        (Sent("POST", "/upload/v3/videos", [("part", "id")], JSON, b"{}"), "/query/uploadType", "required"),
        (
            Sent("POST", "/upload/v3/videos", [("part", "id"), ("uploadType", "multipart")], JSON, b"{}"),
            "/body",
            "syntax",
        ),
    ],
)
def test_what_is_wrong_in_a_request_is_named(published: Discovery, sent: Sent, pointer: str, rule: str) -> None:
    found = wrong(published, sent)
    assert (pointer, rule) in found
    assert {place for place, _ in found} <= {pointer, "/query/uploadType"}


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (Answered(404, JSON, json.dumps(ERROR).encode()), []),
        (Answered(403, JSON, json.dumps(ERROR).encode()), [("/body/error/code", "const")]),
        (Answered(404, JSON, b"<html>"), [("/body/error", "required")]),
        (Answered(302, JSON, b"{}"), [("/status", "unknown_status")]),
    ],
)
def test_what_is_wrong_in_an_answer_is_named(
    published: Discovery, answered: Answered, found: list[tuple[str, str]]
) -> None:
    assert wrong(published, Sent("GET", "/v3/videos/abc"), answered) == found


def test_an_upload_in_pieces_is_followed(published: Discovery) -> None:
    begun = Sent("POST", "/upload/v3/videos", [("part", "id"), ("uploadType", "resumable")], JSON, b'{"id": "a"}')
    assert wrong(published, begun) == []
    assert wrong(published, begun, Answered(200, {"location": "there"})) == []
    assert wrong(published, begun, Answered(200)) == [("/header/location", "required")]
    piece = Sent("PUT", "/upload/v3/videos", [("upload_id", "x")], {"content-type": "video/mp4"}, None)
    assert wrong(published, piece) == []
    assert wrong(published, piece, Answered(308)) == []
    assert wrong(published, piece, Answered(308, JSON, b"{}")) == [("/body", "unknown_body")]
    assert wrong(published, piece, Answered(201, JSON, b'{"views": 1}')) == [("/body/views", "type")]
