"""Whether a grant is dead or only could not be renewed now: the one asks for the person, the other for patience.

Taking a passing trouble, or a secret of ours that is wrong, for a dead grant would end every connection at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import Misconfigured, PlatformError, RateLimited, ReauthorisationNeeded, Rejected, Transient
from platforms.platform import Platform
from platforms.shape import ClientCredentials, Grant, PlatformName
from sandbox.server import Sandbox

from libs.platforms.tests.connecting import walk_through


class Renewal(NamedTuple):
    """Where a platform renews, and how it says that a grant is dead."""

    route: str
    dead: tuple[tuple[int, Any], ...]
    wrong_secret: type[PlatformError] | None = Misconfigured
    """What 401 without a word of the platform's means; None where our secret is not shown with it."""


def oauth(word: str, description: str = "") -> dict[str, str]:
    return {"error": word, "error_description": description}


META = ((400, {"error": {"code": 190, "error_subcode": 460, "message": "x", "type": "OAuthException"}}),)
GRANT = (400, oauth("invalid_grant"))
RENEWALS = {
    PlatformName.TIKTOK: Renewal("POST /v2/oauth/token/", (GRANT, (200, oauth("invalid_grant")))),
    PlatformName.X: Renewal(
        "POST /2/oauth2/token", (GRANT, (400, oauth("invalid_request", "Value passed for the token was invalid.")))
    ),
    PlatformName.LINKEDIN: Renewal("POST /oauth/v2/accessToken", (GRANT, (400, oauth("invalid_request")))),
    PlatformName.YOUTUBE: Renewal("POST /token", (GRANT, (403, oauth("access_denied")))),
    PlatformName.BLUESKY: Renewal("POST /oauth/token", (GRANT,)),
    PlatformName.PINTEREST: Renewal("POST /v5/oauth/token", ((400, {"code": 283}), (401, {"code": 283}))),
    PlatformName.FACEBOOK: Renewal("POST */oauth/access_token", META, None),
    PlatformName.INSTAGRAM: Renewal("GET /refresh_access_token", META, None),
    PlatformName.THREADS: Renewal("GET /refresh_access_token", META, None),
}


@pytest.fixture(params=RENEWALS, ids=lambda name: name.value)
def name(request: pytest.FixtureRequest) -> PlatformName:
    found: PlatformName = request.param
    return found


@pytest.fixture
async def sandbox(clock: FixedClock, name: PlatformName) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=clock, only={name.value}) as running:
        yield running


@pytest.fixture
def client(
    name: PlatformName, client: ClientCredentials, bluesky_client: ClientCredentials, tiktok_client: ClientCredentials
) -> ClientCredentials:
    return {PlatformName.BLUESKY: bluesky_client, PlatformName.TIKTOK: tiktok_client}.get(name, client)


@pytest.fixture
def platform(platforms: Mapping[PlatformName, Platform], name: PlatformName) -> Platform:
    return platforms[name]


@pytest.fixture
async def grant(
    platform: Platform, http: httpx.AsyncClient, client: ClientCredentials, name: PlatformName, clock: FixedClock
) -> Grant:
    """A grant that is two days old, because some are not renewed on their first."""
    handle = "brand.test" if name is PlatformName.BLUESKY else None
    call = await walk_through(platform, http, client, clock, handle=handle)
    clock.advance(timedelta(days=2))
    return call.grant


async def test_only_the_platforms_own_words_end_a_grant(
    platform: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    grant: Grant,
    name: PlatformName,
    sandbox: Sandbox,
    clock: FixedClock,
) -> None:
    renewal = RENEWALS[name]
    passing: list[tuple[int, type[PlatformError]]] = [(503, Transient), (200, Transient), (429, RateLimited)]
    if renewal.wrong_secret is not None:
        passing.append((401, renewal.wrong_secret))
    for status, expected in passing:
        sandbox.add_fault(name, renewal.route, "answer", status=status, body={})
        with pytest.raises(expected):
            await platform.refresh(http, client, grant, clock=clock)
    for status in (400, 403):
        sandbox.add_fault(name, renewal.route, "answer", status=status, body={})
        with pytest.raises((Misconfigured, Rejected)):
            await platform.refresh(http, client, grant, clock=clock)
    # A question is asked twice by itself when its connection is lost.
    sandbox.add_fault(name, renewal.route, "reset_before", times=2 if renewal.route.startswith("GET") else 1)
    with pytest.raises(Transient):
        await platform.refresh(http, client, grant, clock=clock)
    for status, body in renewal.dead:
        sandbox.add_fault(name, renewal.route, "answer", status=status, body=body)
        with pytest.raises(ReauthorisationNeeded):
            await platform.refresh(http, client, grant, clock=clock)
    renewed = await platform.refresh(http, client, grant, clock=clock)
    assert renewed.account_id == grant.account_id
    assert renewed.scopes == grant.scopes
