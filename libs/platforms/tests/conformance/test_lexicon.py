"""The judge of lexicons lets right exchanges pass and names what is wrong with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.platforms.tests.conformance import Answered, Sent
from libs.platforms.tests.conformance.exchange import deviations
from libs.platforms.tests.conformance.lexicon import Lexicons

JSON = {"content-type": "application/json"}
CID = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 10}
NOTE = {
    "main": {
        "type": "record",
        "key": "tid",
        "record": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "maxLength": 30, "maxGraphemes": 3},
                "at": {"type": "string", "format": "datetime"},
                "langs": {"type": "array", "maxLength": 1, "items": {"type": "string", "format": "language"}},
                "embed": {"type": "union", "refs": ["#picture", "org.example.defs#link"]},
                "level": {"type": "integer", "minimum": 1, "maximum": 5},
                "open": {"type": "boolean", "const": True},
            },
        },
    },
    "picture": {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "blob", "accept": ["image/*"], "maxSize": 10}},
    },
}
DEFINITIONS = {
    "link": {"type": "object", "required": ["uri"], "properties": {"uri": {"type": "string", "format": "uri"}}}
}
WRITE = {
    "main": {
        "type": "procedure",
        "input": {
            "encoding": "application/json",
            "schema": {
                "type": "object",
                "required": ["collection", "rkey", "record"],
                "nullable": ["swap"],
                "properties": {
                    "collection": {"type": "string", "format": "nsid"},
                    "rkey": {"type": "string", "format": "record-key"},
                    "record": {"type": "unknown"},
                    "swap": {"type": "string", "format": "cid"},
                },
            },
        },
        "output": {
            "encoding": "application/json",
            "schema": {
                "type": "object",
                "required": ["uri"],
                "properties": {"uri": {"type": "string", "format": "at-uri"}, "value": {"type": "unknown"}},
            },
        },
        "errors": [{"name": "InvalidSwap"}],
    }
}
LOOK = {
    "main": {
        "type": "query",
        "parameters": {
            "type": "params",
            "required": ["uris"],
            "properties": {
                "uris": {"type": "array", "maxLength": 2, "items": {"type": "string", "format": "at-uri"}},
                "limit": {"type": "integer", "minimum": 1},
                "deep": {"type": "boolean"},
            },
        },
    }
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Lexicons:
    folder = tmp_path_factory.mktemp("lexicons") / "org" / "example"
    folder.mkdir(parents=True)
    for name, definitions in {"note": NOTE, "defs": DEFINITIONS, "write": WRITE, "look": LOOK}.items():
        (folder / f"{name}.json").write_text(json.dumps({"defs": definitions}))
    return Lexicons(folder.parent.parent)


def wrong(published: Lexicons, sent: Sent, answered: Answered | None = None) -> list[tuple[str, str]]:
    return [(found.pointer, found.rule) for found in deviations(published, sent, answered)]


def written(record: Any, **fields: Any) -> Sent:
    body = {"collection": "org.example.note", "rkey": "3jzfcijpj2z2a", "record": record} | fields
    return Sent("POST", "/xrpc/org.example.write", (), JSON, json.dumps(body).encode())


def note(**fields: Any) -> dict[str, Any]:
    return {"$type": "org.example.note", "text": "hey"} | fields


@pytest.mark.parametrize(
    "record",
    [
        note(at="2026-11-22T10:00:00.000Z", langs=["de-CH"], level=5, open=True),
        note(text="👩‍👩‍👧‍👦"),
        note(embed={"$type": "org.example.note#picture", "image": BLOB}),
        note(embed={"$type": "org.example.defs#link", "uri": "https://example.org/"}),
    ],
)
def test_what_is_right_passes_in_both_directions(published: Lexicons, record: dict[str, Any]) -> None:
    assert wrong(published, written(record, swap=None)) == []
    answer = {"uri": "at://did:plc:bbslyu3mt4aa4wn455fijvck/org.example.note/3jzfcijpj2z2a", "value": record}
    assert wrong(published, written(record), Answered(200, JSON, json.dumps(answer).encode())) == []


@pytest.mark.parametrize(
    ("record", "pointer", "rule"),
    [
        (note(text="four"), "/text", "maxGraphemes"),
        (note(text="👩‍👩‍👧‍👦" * 2), "/text", "maxLength"),
        (note(text=1), "/text", "type"),
        ({"$type": "org.example.note"}, "/text", "required"),
        (note(txt=""), "/txt", "unknown_property"),
        (note(at="2026-11-22"), "/at", "format"),
        (note(langs=["de", "en"]), "/langs", "maxLength"),
        (note(langs=["German!"]), "/langs/0", "format"),
        (note(level=0), "/level", "range"),
        (note(level=True), "/level", "type"),
        (note(open=False), "/open", "const"),
        (note(embed={"image": BLOB}), "/embed/$type", "required"),
        (note(embed={"$type": "org.example.note#film"}), "/embed/$type", "union"),
        (note(embed={"$type": "org.example.defs#link", "uri": "no"}), "/embed/uri", "format"),
        (
            note(embed={"$type": "org.example.note#picture", "image": BLOB | {"size": 11}}),
            "/embed/image/size",
            "maxSize",
        ),
        (
            note(embed={"$type": "org.example.note#picture", "image": BLOB | {"mimeType": "video/mp4"}}),
            "/embed/image/mimeType",
            "accept",
        ),
        (note(embed={"$type": "org.example.note#picture", "image": {"cid": CID}}), "/embed/image", "type"),
    ],
)
def test_what_is_wrong_in_a_record_is_named(published: Lexicons, record: Any, pointer: str, rule: str) -> None:
    assert wrong(published, written(record)) == [(f"/body/record{pointer}", rule)]
    answer = {"uri": "at://example.org", "value": record}
    found = wrong(published, written(note()), Answered(200, JSON, json.dumps(answer).encode()))
    assert found == [(f"/body/value{pointer}", rule)]


@pytest.mark.parametrize(
    ("sent", "pointer", "rule"),
    [
        (Sent("GET", "/xrpc/org.example.nothing"), "", "unknown_route"),
        (Sent("GET", "/xrpc/org.example.write"), "", "unknown_route"),
        (Sent("GET", "/xrpc/org.example.note"), "", "unknown_route"),
        (Sent("GET", "/other"), "", "unknown_route"),
        (Sent("GET", "/xrpc/org.example.look"), "/query/uris", "required"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org")] * 3), "/query/uris", "maxLength"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "http://a.org")]), "/query/uris/0", "format"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org"), ("limit", "0")]), "/query/limit", "range"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org"), ("limit", "x")]), "/query/limit", "type"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org"), ("deep", "1")]), "/query/deep", "type"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org"), ("x", "1")]), "/query/x", "unknown_parameter"),
        (Sent("GET", "/xrpc/org.example.look", [("uris", "at://a.org")], JSON, b"{}"), "/body", "unknown_body"),
        (Sent("POST", "/xrpc/org.example.write"), "/header/content-type", "content_type"),
        (Sent("POST", "/xrpc/org.example.write", (), JSON, b"{"), "/body", "syntax"),
        (written(note(), rkey="first"), "/body/rkey", "format"),
        (written(note(), swap="?"), "/body/swap", "format"),
        (written({"$type": "org.example.film"}), "/body/record/$type", "unknown_type"),
        (written({"text": ""}), "/body/record/$type", "const"),
        (written("text"), "/body/record", "type"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(published: Lexicons, sent: Sent, pointer: str, rule: str) -> None:
    assert wrong(published, sent)[0] == (pointer, rule)


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (400, {"error": "InvalidSwap", "message": "it changed"}, []),
        (429, {"error": "RateLimitExceeded"}, []),
        (400, {"error": "RateLimitExceeded"}, [("/status", "error_status")]),
        (400, {"error": "RecordNotFound"}, [("/body/error", "error_name:RecordNotFound")]),
        (400, {"message": "no"}, [("/body/error", "required")]),
        (400, [], [("/body/error", "required")]),
        (400, {"error": "InvalidSwap", "code": 1}, [("/body/code", "unknown_property")]),
        (201, {"uri": "at://a.org"}, [("/status", "unknown_status")]),
        (200, {"uri": "https://a.org"}, [("/body/uri", "format")]),
    ],
)
def test_what_is_wrong_in_an_answer_is_named(
    published: Lexicons, status: int, body: Any, found: list[tuple[str, str]]
) -> None:
    assert wrong(published, written(note()), Answered(status, JSON, json.dumps(body).encode())) == found
