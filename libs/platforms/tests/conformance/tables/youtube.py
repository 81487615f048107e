"""Where YouTube does otherwise than it publishes."""

from __future__ import annotations

from libs.platforms.tests.conformance.table import Difference

OAUTH = "Google describes its authorisation in prose (developers.google.com/identity/protocols/oauth2), in no document."
PAGES = "It is a page that people open, no part of the API."
HUB = "Google's hub speaks WebSub, which is a standard of its own."

DIFFERENCES: tuple[Difference, ...] = (
    Difference("* /o/oauth2/v2/auth", "request", "", "unknown_route", reason=OAUTH),
    Difference("POST /token", "request", "", "unknown_route", reason=OAUTH),
    Difference("POST /revoke", "request", "", "unknown_route", reason=OAUTH),
    Difference("GET /watch", "request", "", "unknown_route", reason=PAGES),
    Difference("GET /shorts/*", "request", "", "unknown_route", reason=PAGES),
    Difference("POST /subscribe", "request", "", "unknown_route", reason=HUB),
)
