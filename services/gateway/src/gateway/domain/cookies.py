"""The cookies there are, first-party and strictly necessary: the session's, and the one of a browser that is away at a
provider, which comes back with it or not at all."""

from __future__ import annotations

import secrets
from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from kit.secret import Secret

COOKIE = "signoff_session"

BROWSER_COOKIE = "signoff_browser"
"""It opens nothing by itself. It keeps a foreign site from finishing in this browser what was begun in another one."""

SECURE_PREFIX = "__Host-"
"""Before each name, but on a developer's machine, where pages come over plain HTTP. Browsers take this prefix only over
HTTPS, for this one host and all its paths (RFC 6265bis): no neighbouring host can plant a session."""

BROWSER_TOKEN_BYTES = 32

BROWSER_LIFETIME_SECONDS = 20 * 60
"""Ten minutes at the provider, and ten to complete a new account."""

TOKEN_LENGTH_MAX = 512
"""A session token is far shorter; more is not ours and is not passed on."""


def session_token(cookie_header: str, *, secure: bool) -> Secret | None:
    """The session's token in a Cookie header, if there is one."""
    return _value(cookie_header, _name(COOKIE, secure=secure))


def browser_token(cookie_header: str, *, secure: bool) -> Secret | None:
    """The browser's token in a Cookie header, if it has one."""
    return _value(cookie_header, _name(BROWSER_COOKIE, secure=secure))


def new_browser_token() -> Secret:
    return Secret(secrets.token_urlsafe(BROWSER_TOKEN_BYTES))


def _value(cookie_header: str, name: str) -> Secret | None:
    try:
        morsel = SimpleCookie(cookie_header).get(name)
    except CookieError:
        return None
    if morsel is None or not 0 < len(morsel.value) <= TOKEN_LENGTH_MAX:
        return None
    return Secret(morsel.value)


def opening(token: Secret, *, expires_at: datetime, now: datetime, secure: bool) -> str:
    """The Set-Cookie value that hands a session to the browser until `expires_at`."""
    max_age_seconds = max(0, int((expires_at - now).total_seconds()))
    return _cookie(COOKIE, token.reveal(), max_age_seconds=max_age_seconds, secure=secure)


def closing(*, secure: bool) -> str:
    """The Set-Cookie value that makes the browser forget the session."""
    return _cookie(COOKIE, "", max_age_seconds=0, secure=secure)


def marking(token: Secret, *, secure: bool) -> str:
    """The Set-Cookie value that lets this browser, and no other, come back from where it is sent."""
    return _cookie(BROWSER_COOKIE, token.reveal(), max_age_seconds=BROWSER_LIFETIME_SECONDS, secure=secure)


def _cookie(name: str, value: str, *, max_age_seconds: int, secure: bool) -> str:
    parts = [
        f"{_name(name, secure=secure)}={value}",
        "Path=/",
        f"Max-Age={max_age_seconds}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    return "; ".join([*parts, "Secure"] if secure else parts)


def _name(name: str, *, secure: bool) -> str:
    return SECURE_PREFIX + name if secure else name
