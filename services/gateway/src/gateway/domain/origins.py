"""Which requests may change something: those that our own pages, or no page at all, have made.

Browsers say where a request comes from and scripts cannot forge it; a program that sends neither header holds
no browser's cookie. This stands beside the cookie's SameSite.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from kit.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN_SITES = frozenset({"same-origin", "none"})


class ForeignOrigin(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "foreign-origin"
    title = "Another site may not do this in your name"


class NotJson(Problem):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "not-json"
    title = "The body must be JSON and say so in Content-Type"


def check_origin(method: str, *, host: str, origin: str | None, fetch_site: str | None) -> None:
    """Return if the request is from our own origin or from no page; raise `ForeignOrigin` otherwise."""
    if method in SAFE_METHODS:
        return
    if fetch_site is not None and fetch_site not in _OWN_SITES:
        raise ForeignOrigin()
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        raise ForeignOrigin()


def check_json(content_type: str | None, *, has_body: bool) -> None:
    """Raise `NotJson` for a body of another type: forms of foreign pages can send those without asking."""
    if has_body and (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson()
