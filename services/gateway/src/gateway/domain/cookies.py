"""The session cookie: the only one there is, first-party and strictly necessary."""

from __future__ import annotations

from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from kit.secret import Secret

COOKIE = "signoff_session"
"""On a developer's machine, where pages come over plain HTTP."""

SECURE_COOKIE = "__Host-signoff_session"
"""Everywhere else. Browsers take this prefix only over HTTPS, for this one host and all its paths (RFC 6265bis): no
neighbouring host can plant a session."""

TOKEN_LENGTH_MAX = 512
"""A session token is far shorter; more is not ours and is not passed on."""


def session_token(cookie_header: str, *, secure: bool) -> Secret | None:
    """The session's token in a Cookie header, if there is one."""
    try:
        morsel = SimpleCookie(cookie_header).get(_name(secure=secure))
    except CookieError:
        return None
    if morsel is None or not 0 < len(morsel.value) <= TOKEN_LENGTH_MAX:
        return None
    return Secret(morsel.value)


def opening(token: Secret, *, expires_at: datetime, now: datetime, secure: bool) -> str:
    """The Set-Cookie value that hands a session to the browser until `expires_at`."""
    max_age_seconds = max(0, int((expires_at - now).total_seconds()))
    return _cookie(token.reveal(), max_age_seconds=max_age_seconds, secure=secure)


def closing(*, secure: bool) -> str:
    """The Set-Cookie value that makes the browser forget the session."""
    return _cookie("", max_age_seconds=0, secure=secure)


def _cookie(value: str, *, max_age_seconds: int, secure: bool) -> str:
    parts = [f"{_name(secure=secure)}={value}", "Path=/", f"Max-Age={max_age_seconds}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def _name(*, secure: bool) -> str:
    return SECURE_COOKIE if secure else COOKIE
