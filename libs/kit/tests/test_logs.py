"""Every line is JSON, and no line shows a secret: not by name, not by look, not in an exception, not in an object."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from kit import logs
from kit.ids import new_id
from kit.secret import Secret
from opentelemetry.sdk.trace import TracerProvider

TOKEN = "act.3kXyZ0123456789"
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhY2NvdW50In0.c2lnbmF0dXJl"


Logged = Callable[[], list[dict[str, Any]]]


class Request:
    def __repr__(self) -> str:
        return f"<Request Authorization: Bearer {TOKEN}>"


@pytest.mark.promise("P22")
@pytest.mark.parametrize(
    "fields",
    [
        {"value": Secret(TOKEN)},
        {"access_token": "abc"},
        {"client_secret": "abc"},
        {"Authorization": "abc"},
        {"set_cookie": ["abc"]},
        {"headers": {"X-Api-Key": "abc", "accept": "json"}},
        {"deep": [{"deeper": {"refresh_token": "abc"}}]},
        {"note": f"sent Bearer {TOKEN}"},
        {"note": f"DPoP {JWT}"},
        {"note": f"it was {JWT}."},
        {"note": f"the token {TOKEN} died"},
        {"url": "https://user:hunter2@example.com/x"},
        {"url": "https://example.com/cb?state=abc&code=abc&x=1"},
        {"url": "https://example.com/?access_token=abc#y"},
        {"items": ("x", f"Basic {TOKEN}")},
        {"items": {f"Basic {TOKEN}"}},
        {"request": Request()},
        {"body": f"Bearer {TOKEN}".encode()},
        {"error": ValueError(f"Bearer {TOKEN}")},
    ],
)
def test_a_secret_is_taken_out(logged: Logged, fields: dict[str, Any]):
    structlog.get_logger("test").info("call_made", **fields)
    written = json.dumps(logged(), ensure_ascii=False)
    assert "abc" not in written
    assert TOKEN not in written
    assert JWT.split(".")[1] not in written
    assert "hunter2" not in written
    assert logs.REDACTED in written


@pytest.mark.promise("P22")
def test_an_exceptions_text_is_cleaned(logged: Logged):
    for log in (structlog.get_logger("test"), logging.getLogger("library")):
        try:
            raise RuntimeError(f"GET /me?access_token={TOKEN}")
        except RuntimeError:
            log.exception("call_failed")
    ours, theirs = logged()
    for line in (ours, theirs):
        assert "RuntimeError" in line["exception"]
        assert TOKEN not in json.dumps(line)


@pytest.mark.promise("P22")
def test_a_librarys_line_is_cleaned_too(logged: Logged):
    logging.getLogger("library").warning("retrying %s with %s", "https://a:hunter2@example.com/", f"Bearer {TOKEN}")
    (line,) = logged()
    assert line["event"] == "retrying https://[redacted]@example.com/ with [redacted]"
    assert (line["logger"], line["level"]) == ("library", "warning")


def test_facts_are_written_as_they_are(logged: Logged):
    post_id = new_id()
    structlog.get_logger("test").info(
        "post_approved", post_id=post_id, count=3, done=True, token_count=None, has_token=False, url="https://x.y/?a=1"
    )
    (line,) = logged()
    assert line["post_id"] == str(post_id)
    assert (line["count"], line["done"], line["token_count"], line["has_token"]) == (3, True, None, False)
    assert line["url"] == "https://x.y/?a=1"
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_a_line_names_its_trace(logged: Logged):
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        structlog.get_logger("test").info("post_approved")
    (line,) = logged()
    assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_lines_that_repeat_every_request_are_left_out(logged: Logged):
    logging.getLogger("httpx").info("HTTP Request: GET https://example.com/?access_token=abc")
    logging.getLogger("httpx").warning("unusual")
    assert [line["event"] for line in logged()] == ["unusual"]
