"""What the edge decides by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gateway.domain import cookies, limits, origins
from gateway.domain.routes import MEDIA_BYTES_MAX, PHOTO_BYTES_MAX, ROUTES, Access
from kit.problems import NotFound
from kit.secret import Secret

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def documented() -> set[tuple[str, str]]:
    """Method and shape of every path in the tables of docs/api.md; `, /posts/{p}` adds to the path before it."""
    found = set()
    for line in DOCUMENT.read_text().splitlines():
        row = re.match(r"\| (GET|HEAD|POST|PUT|PATCH|DELETE) (\S+?)(?:, (/\S+))?(?= [`(|]|\?| \|)", line)
        if row is None:
            continue
        method, path, also = row.groups()
        found.add((method, _shape(path)))
        if also:
            found.add((method, _shape(path + also.removeprefix("/" + path.rsplit("/", 1)[1]))))
    return found


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.partition("?")[0])


def test_the_table_serves_exactly_the_documented_api():
    assert {(row.method, _shape(row.path)) for row in ROUTES} == documented()
    assert len({(row.method, row.path) for row in ROUTES}) == len(ROUTES)


def test_every_path_in_a_workspace_needs_its_member():
    for row in ROUTES:
        assert (row.access is Access.WORKSPACE) == ("{workspace_id}" in row.path), row
    assert [row.path for row in ROUTES if row.access is Access.OPEN] == [
        "/api/accounts",
        "/api/accounts/verifications",
        "/api/accounts/verifications/requests",
        "/api/session",
        "/api/session/second-factor",
        "/api/session/passkey/options",
        "/api/session/passkey",
        "/api/password-resets",
        "/api/password-resets/confirmations",
        "/api/account/address/confirmations",
        "/api/openid/providers",
        "/api/openid/sign-ins",
        "/api/openid/callback",
        "/api/openid/accounts",
        "/webhooks/{platform}",
        "/webhooks/{platform}",
        "/webhooks/{platform}/deauthorise",
        "/webhooks/{platform}/data-deletion",
        "/deletions/{code}",
        "/media/{token}",
        "/media/{token}",
        "/api/erasures/{erasure_id}",
        "/api/certificate-keys",
        "/api/retention-policy",
    ]


def test_only_media_may_be_large():
    assert [(row.path, row.body_bytes_max) for row in ROUTES if row.streams or row.body_bytes_max > 1024 * 1024] == [
        ("/api/account/photo", PHOTO_BYTES_MAX),
        ("/api/workspaces/{workspace_id}/media", MEDIA_BYTES_MAX),
    ]


MEDIA_LINK = next(row for row in ROUTES if row.answer_streams)


def test_what_is_no_link_is_told_nobody():
    assert MEDIA_LINK.path_for({"token": "eyJh.eyJ_.a-b"}) == "/media/eyJh.eyJ_.a-b"
    for wrong in ("", "..", "a.b", "a.b.c.d", "a.b.c\n", "a/b.c.d", "a?b.c.d", "ä.b.c", "a.b." + "c" * 2045):
        with pytest.raises(NotFound):
            MEDIA_LINK.path_for({"token": wrong})


@pytest.mark.promise("P05")
def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites():
    cookie = cookies.opening(Secret("abc"), expires_at=NOW + timedelta(hours=1), now=NOW, secure=True)
    assert cookie == "__Host-signoff_session=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure"
    assert cookies.closing(secure=True).startswith("__Host-signoff_session=; Path=/; Max-Age=0; ")
    assert cookies.closing(secure=False) == "signoff_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


@pytest.mark.promise("P05")
def test_a_cookie_that_another_host_could_have_set_is_not_believed_in_production():
    assert cookies.session_token("signoff_session=abc", secure=True) is None
    found = cookies.session_token("signoff_session=abc; __Host-signoff_session=def", secure=True)
    assert found is not None
    assert found.reveal() == "def"


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("signoff_session=abc", "abc"),
        ("theme=dark; signoff_session=abc", "abc"),
        ("signoff_session=", None),
        ("", None),
        ("other=abc", None),
        ("signoff_session=" + "a" * 513, None),
        ("\x00=;;;=", None),
    ],
)
def test_the_token_is_found_in_any_cookie_header(header: str, token: str | None):
    found = cookies.session_token(header, secure=False)
    assert (found.reveal() if found else None) == token


@pytest.mark.parametrize(
    ("method", "origin", "fetch_site", "allowed"),
    [
        ("POST", None, None, True),
        ("POST", "https://signoff.example", "same-origin", True),
        ("POST", "https://SIGNOFF.example", None, True),
        ("POST", None, "none", True),
        ("POST", "https://evil.example", "same-origin", False),
        ("POST", "https://signoff.example.evil.example", None, False),
        ("POST", "https://signoff.example", "same-site", False),
        ("DELETE", None, "cross-site", False),
        ("PUT", "null", None, False),
        ("POST", "", None, False),
        ("GET", "https://evil.example", "cross-site", True),
    ],
)
def test_only_our_own_pages_change_anything(method: str, origin: str | None, fetch_site: str | None, allowed: bool):
    def check() -> None:
        origins.check_origin(method, host="signoff.example", origin=origin, fetch_site=fetch_site)

    if allowed:
        check()
    else:
        with pytest.raises(origins.ForeignOrigin):
            check()


@pytest.mark.parametrize(
    ("content_type", "allowed"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        (None, False),
    ],
)
def test_a_body_says_that_it_is_json(content_type: str | None, allowed: bool):
    origins.check_json(content_type, has_body=False)
    if allowed:
        origins.check_json(content_type, has_body=True)
    else:
        with pytest.raises(origins.NotJson):
            origins.check_json(content_type, has_body=True)


def test_attempts_come_back_with_time():
    limit = limits.RateLimit(burst=2, per_minute=6)
    limit.take("a", now=0)
    limit.take("a", now=0)
    with pytest.raises(limits.TooManyAttempts) as refused:
        limit.take("a", now=1)
    assert refused.value.headers == {"Retry-After": "9"}
    limit.take("b", now=1)
    limit.take("a", now=10)
    with pytest.raises(limits.TooManyAttempts):
        limit.take("a", now=10)


def test_a_flood_of_addresses_takes_no_more_memory():
    limit = limits.RateLimit(burst=1, per_minute=1, addresses_max=10)
    limit.take("mine", now=0)
    for number in range(1_000):
        limit.take(f"flood-{number}", now=0)
        with pytest.raises(limits.TooManyAttempts):
            limit.take("mine", now=0)
    assert len(limit._buckets) == 10


@pytest.mark.parametrize(
    ("forwarded_for", "trusted_proxies", "address"),
    [
        (None, 0, "10.0.0.9"),
        ("203.0.113.7", 0, "10.0.0.9"),
        ("203.0.113.7", 1, "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7", 1, "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7, 10.0.0.1", 2, "203.0.113.7"),
        (None, 1, "10.0.0.9"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(forwarded_for: str | None, trusted_proxies: int, address: str):
    assert limits.client_address("10.0.0.9", forwarded_for, trusted_proxies=trusted_proxies) == address
