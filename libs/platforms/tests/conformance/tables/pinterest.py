"""Where Pinterest does otherwise than it publishes."""

from __future__ import annotations

from libs.platforms.tests.conformance.table import Difference

PAGES = "It is a page that people open, no part of the API."
STORAGE = "The address of an upload is Amazon's storage, which describes itself."
TIMES = "Times are written without a zone, and mean UTC; RFC 3339 asks for one."
TIME = "2026-11-22T10:00:00"

DIFFERENCES: tuple[Difference, ...] = (
    Difference("* /oauth/", "request", "", "unknown_route", reason=PAGES),
    Difference("GET /pin/*/", "request", "", "unknown_route", reason=PAGES),
    Difference("POST /upload/", "request", "", "unknown_route", reason=STORAGE),
    Difference(
        "GET /v5/boards/{board_id}",
        "answer",
        "/body/created_at",
        "format",
        reason=TIMES,
        example={"created_at": TIME},
        shown_at="GET /v5/boards/1",
    ),
    Difference(
        "GET /v5/boards/{board_id}",
        "answer",
        "/body/board_pins_modified_at",
        "format",
        reason=TIMES,
        example={"board_pins_modified_at": TIME},
        shown_at="GET /v5/boards/1",
    ),
    Difference(
        "POST /v5/pins",
        "answer",
        "/body/created_at",
        "format",
        reason=TIMES,
        example={"created_at": TIME},
        status=201,
    ),
    Difference(
        "GET /v5/pins/{pin_id}",
        "answer",
        "/body/created_at",
        "format",
        reason=TIMES,
        example={"created_at": TIME},
        shown_at="GET /v5/pins/1",
    ),
    Difference(
        "GET /v5/boards/{board_id}/pins",
        "answer",
        "/body/items/*/created_at",
        "format",
        reason=TIMES,
        example={"items": [{"created_at": TIME}]},
        shown_at="GET /v5/boards/1/pins",
    ),
    Difference(
        "GET /v5/pins",
        "answer",
        "/body/items/*/created_at",
        "format",
        reason=TIMES,
        example={"items": [{"created_at": TIME}]},
    ),
    Difference(
        "GET /v5/pins/analytics",
        "request",
        "/query/metric_types/*",
        "oneOf",
        reason="Most metrics are in both of the lists of which a value shall be in exactly one.",
        example={"pin_ids": "1", "start_date": "2026-11-01", "end_date": "2026-11-22", "metric_types": "IMPRESSION"},
    ),
)
