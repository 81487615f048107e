"""The judge of OpenAPI documents lets right exchanges pass and names what is wrong with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.platforms.tests.conformance import Answered, Sent
from libs.platforms.tests.conformance.exchange import deviations
from libs.platforms.tests.conformance.openapi import OpenApi

TEXT = {"type": "string"}
ANIMAL = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": TEXT},
    "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
}
CAT = {
    "allOf": [{"$ref": "#/components/schemas/Animal"}, {"type": "object", "properties": {"lives": {"type": "integer"}}}]
}
DOG = {"type": "object", "properties": {"kind": TEXT, "barks": {"type": "boolean"}}, "required": ["barks"]}
CREATION = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string", "maxLength": 5},
        "at": {"type": "string", "format": "date-time"},
        "note": {"type": "string", "nullable": True, "enum": ["a"]},
        "pet": {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
            },
        },
        "more": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}
FORM = {"type": "object", "required": ["index", "file"], "properties": {"index": {"type": "integer"}, "file": TEXT}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://api.example/v5"}],
    "paths": {
        "/posts": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Creation"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Creation"}}}},
                    "4XX": {"description": "no"},
                },
            },
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Ids"},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
                    {"name": "X-Tier", "in": "header", "required": True, "schema": {"type": "string", "enum": ["a"]}},
                ],
                "responses": {"204": {"description": "none"}},
            },
        },
        "/posts/{id}": {"get": {"responses": {"204": {"description": "none"}}}},
        "/posts/me": {"get": {"responses": {"204": {"description": "none"}}}},
        "/files": {
            "post": {
                "requestBody": {"content": {"multipart/form-data": {"schema": FORM}}},
                "responses": {"204": {"description": "none"}},
            }
        },
    },
    "components": {
        "schemas": {"Creation": CREATION, "Animal": ANIMAL, "Cat": CAT, "Dog": DOG},
        "parameters": {
            "Ids": {
                "name": "ids",
                "in": "query",
                "required": True,
                "explode": False,
                "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
            }
        },
    },
}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def published() -> OpenApi:
    return OpenApi(DOCUMENT)


def wrong_in_request(published: OpenApi, sent: Sent) -> list[tuple[str, str]]:
    return [(found.pointer, found.rule) for found in deviations(published, sent)]


def wrong_in_answer(published: OpenApi, sent: Sent, answered: Answered) -> list[tuple[str, str]]:
    return [(found.pointer, found.rule) for found in deviations(published, sent, answered)]


def posted(body: Any, **headers: str) -> Sent:
    return Sent("POST", "/v5/posts", (), headers or JSON, json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        {"text": "hello", "at": "2026-11-22T10:00:00.000Z", "note": None, "more": {"x": 1}},
        {"text": "", "pet": {"kind": "cat", "lives": 9}},
        {"text": "", "pet": {"kind": "dog", "barks": True}},
    ],
)
def test_what_is_right_passes_in_both_directions(published: OpenApi, body: dict[str, Any]) -> None:
    assert wrong_in_request(published, posted(body)) == []
    assert wrong_in_answer(published, posted(body), Answered(201, JSON, json.dumps(body).encode())) == []


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"text": "too long"}, "/body/text", "maxLength"),
        ({"text": 1}, "/body/text", "type"),
        ({"text": None}, "/body/text", "type"),
        ({}, "/body", "required"),
        ([], "/body", "type"),
        ({"text": "", "at": "2026-11-22 10:00"}, "/body/at", "format"),
        ({"text": "", "at": "2026-13-22T10:00:00Z"}, "/body/at", "format"),
        ({"text": "", "note": "b"}, "/body/note", "enum"),
        ({"text": "", "txt": ""}, "/body/txt", "unknown_property"),
        ({"text": "", "more": {"x": "1"}}, "/body/more/x", "type"),
        ({"text": "", "pet": {"kind": "cat", "lives": "9"}}, "/body/pet/lives", "type"),
        ({"text": "", "pet": {"kind": "cat", "barks": True}}, "/body/pet/barks", "unknown_property"),
        ({"text": "", "pet": {"kind": "dog"}}, "/body/pet", "required"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(published: OpenApi, body: Any, pointer: str, rule: str) -> None:
    assert wrong_in_request(published, posted(body)) == [(pointer, rule)]
    assert wrong_in_answer(published, posted({}), Answered(201, JSON, json.dumps(body).encode())) == [(pointer, rule)]


@pytest.mark.parametrize(
    ("sent", "pointer", "rule"),
    [
        (Sent("GET", "/v5/nothing"), "", "unknown_route"),
        (Sent("GET", "/posts/me"), "", "unknown_route"),
        (Sent("DELETE", "/v5/posts"), "", "unknown_route"),
        (Sent("GET", "/v5/posts", [("ids", "1,2")]), "/header/X-Tier", "required"),
        (Sent("GET", "/v5/posts", [("ids", "1,2")], {"x-tier": "b"}), "/header/X-Tier", "enum"),
        (Sent("GET", "/v5/posts", (), {"x-tier": "a"}), "/query/ids", "required"),
        (Sent("GET", "/v5/posts", [("ids", "1,2,3")], {"x-tier": "a"}), "/query/ids", "maxItems"),
        (Sent("GET", "/v5/posts", [("ids", "1,x")], {"x-tier": "a"}), "/query/ids/1", "type"),
        (Sent("GET", "/v5/posts", [("ids", "1"), ("limit", "10")], {"x-tier": "a"}), "/query/limit", "maximum"),
        (Sent("GET", "/v5/posts", [("ids", "1"), *[("limit", "1")] * 2], {"x-tier": "a"}), "/query/limit", "repeated"),
        (Sent("GET", "/v5/posts", [("ids", "1"), ("lmit", "1")], {"x-tier": "a"}), "/query/lmit", "unknown_parameter"),
        (Sent("GET", "/v5/posts/7", (), JSON, b"{}"), "/body", "unknown_body"),
        (Sent("POST", "/v5/posts"), "/body", "required"),
        (Sent("POST", "/v5/posts", (), JSON, b"{"), "/body", "syntax"),
        (Sent("POST", "/v5/posts", (), {"content-type": "text/plain"}, b"x"), "/body", "content_type"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(published: OpenApi, sent: Sent, pointer: str, rule: str) -> None:
    assert wrong_in_request(published, sent) == [(pointer, rule)]


@pytest.mark.parametrize(
    ("answered", "pointer", "rule"),
    [
        (Answered(200, JSON, b"{}"), "/status", "unknown_status"),
        (Answered(201, JSON, b""), "/body", "required"),
        (Answered(201, {"content-type": "text/html"}, b"<p>"), "/body", "content_type"),
        (Answered(404, JSON, b"{}"), "/body", "unknown_body"),
    ],
)
def test_what_is_wrong_in_an_answer_is_named(published: OpenApi, answered: Answered, pointer: str, rule: str) -> None:
    assert wrong_in_answer(published, posted({"text": ""}), answered) == [(pointer, rule)]


def test_a_literal_path_comes_before_a_placeholder(published: OpenApi) -> None:
    assert published.route(Sent("GET", "/v5/posts/me")) == "GET /v5/posts/me"
    assert published.route(Sent("GET", "/v5/posts/you")) == "GET /v5/posts/{id}"


@pytest.mark.parametrize(("index", "wrong"), [("3", []), ("three", [("/body/index", "type")])])
def test_forms_with_files_are_read(published: OpenApi, index: str, wrong: list[tuple[str, str]]) -> None:
    body = (
        f'--B\r\nContent-Disposition: form-data; name="index"\r\n\r\n{index}\r\n'
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    ).encode() + b"\x00\xff\r\n--B--\r\n"
    sent = Sent("POST", "/v5/files", (), {"content-type": "multipart/form-data; boundary=B"}, body)
    assert wrong_in_request(published, sent) == wrong
