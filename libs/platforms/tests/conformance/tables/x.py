"""Where X does otherwise than it publishes.

Its document names posts what its servers, its documentation's prose and every client in use have called tweets.
"""

from __future__ import annotations

from typing import Any

from libs.platforms.tests.conformance.table import Difference

POST = "POST /2/tweets"
OLD_NAME = "The name before mid-2026, which servers accept and answer; our client reads both."
BLANK = {"title": "Forbidden", "detail": "why", "type": "about:blank", "status": 403}


def _outside(route: str, where: str) -> Difference:
    return Difference(route, "request", "", "unknown_route", f"The document leaves it out, but {where}.")


def _old_name(route: str, pointer: str, shown_at: str = "", status: int = 200) -> Difference:
    return Difference(route, "answer", pointer, "unknown_property", OLD_NAME, shown_at=shown_at, status=status)


def _problem(route: str, pointer: str, rule: str, reason: str, example: Any, shown_at: str = POST) -> Difference:
    kind = "application/problem+json"
    return Difference(
        route, "answer", pointer, rule, reason, example=example, status=403, shown_at=shown_at, content_type=kind
    )


LOOKUP = "GET /2/tweets"
METRICS = {"retweet_count": 1, "reply_count": 1, "like_count": 1, "quote_count": 1}
METRICS |= {"bookmark_count": 1, "impression_count": 1}
MISSING = {
    "resource_type": "tweet",
    "resource_id": "1",
    "type": "https://api.twitter.com/2/problems/resource-not-found",
    "title": "Not Found Error",
    "detail": "why",
}

DIFFERENCES: tuple[Difference, ...] = (
    _outside("* /i/oauth2/authorize", "it is the page that a person sees (RFC 6749, RFC 7636)"),
    _outside("POST /2/oauth2/token", "RFC 6749 and X's guide to authorisation have it"),
    _outside("POST /2/oauth2/revoke", "RFC 7009 and X's guide to authorisation have it"),
    Difference("GET /2/*", "request", "/query/tweet.fields", "unknown_parameter", OLD_NAME, shown_at=LOOKUP),
    _old_name(POST, "/body/data/edit_history_tweet_ids", status=201),
    _old_name("GET /2/*", "/body/data/*/edit_history_tweet_ids", LOOKUP),
    _old_name("GET /2/*", "/body/data/*/referenced_tweets", LOOKUP),
    _old_name("GET /2/*", "/body/data/*/note_tweet", LOOKUP),
    _old_name(LOOKUP, "/body/data/*/public_metrics/retweet_count"),
    Difference(
        LOOKUP,
        "answer",
        "/body/data/*/public_metrics",
        "required",
        OLD_NAME,
        example={"data": [{"public_metrics": METRICS}]},
    ),
    Difference(
        LOOKUP,
        "answer",
        "/body/errors/*",
        "oneOf",
        "Problems have been named under api.twitter.com for years; our client looks at the last part only.",
        example={"errors": [MISSING]},
    ),
    _problem(
        "* /2/*",
        "/body",
        "oneOf",
        "Most refusals have the type about:blank, or a problem's address under api.twitter.com.",
        BLANK,
    ),
    _problem(
        "POST /2/media/upload/*",
        "/body/errors",
        "unknown_property",
        "A refused value is explained in a list beside the problem.",
        BLANK | {"errors": []},
        "POST /2/media/upload/initialize",
    ),
    Difference(
        "POST /2/media/upload/{id}/finalize",
        "request",
        "/body",
        "unknown_body",
        "Without a body live servers have refused it since July 2026; an empty object is taken.",
        example={},
        shown_at="POST /2/media/upload/1/finalize",
    ),
    Difference(
        "GET /2/media/upload",
        "answer",
        "/body/data/processing_info/error",
        "unknown_property",
        "Some servers say why a file failed; our client repeats the word.",
    ),
)
