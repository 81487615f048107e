"""Every platform end to end: authorise, come back, be shown, be renewed, authorise again, disconnect; and refusals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from contracts.auth import ConnectionRefreshedV1
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.testing.services import Bus
from platforms.registry import ACCESS
from platforms.shape import PlatformName

from services.auth.tests.client import Room
from services.auth.tests.nine import NINE
from services.auth.tests.openid_browser import PUBLIC_URL
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_refreshing import move_to, times

Rows = psycopg.Connection[Any]

pytestmark = pytest.mark.parametrize("platform", NINE)


@pytest.fixture
def imitated(platform: str) -> tuple[str, ...]:
    return (platform,)


def asked_of(room: Room, platform: str, address: str) -> dict[str, str]:
    """What the consent page is asked with; Bluesky is asked beforehand, and its address has only a number."""
    if platform == "bluesky":
        (asked,) = room.sandbox.bluesky.state.asked.values()
        return {
            "scope": " ".join(asked.scopes),
            "state": asked.state,
            "redirect_uri": asked.redirect_uri,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.promise("P20")
async def test_only_what_is_needed_is_asked_at_the_platforms_own_page(room: Room, platform: str):
    known = NINE[platform]
    handle = {"handle": "brand.test"} if platform == "bluesky" else {}
    started = await room.auth.http.post(
        f"{room.path}/authorisations", json={"platform": platform} | handle, headers=room.headers
    )
    address = started.json()["authorisation_url"]
    assert address.startswith(room.sandbox.base_urls[platform])
    asked = asked_of(room, platform, address)
    assert set(asked["scope"].split(known.separator)) == known.needed | known.optional
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/api/oauth/callback"
    assert len(asked["state"]) >= 43
    assert asked.get("code_challenge_method") == ("S256" if known.pkce else None)
    assert ("code_challenge" in asked) == known.pkce


@pytest.mark.promise("P20")
@pytest.mark.promise("P21")
@pytest.mark.promise("P26")
async def test_a_connection_lives_from_its_page_to_its_end(
    room: Room, platform: str, bus: Bus, clock: MovableClock, superuser: Rows
):
    known = NINE[platform]
    connection_id = await room.connect(platform)
    (shown,) = await room.list()
    assert shown.items() >= (known.account | {"platform": platform, "state": "active", "to_do": "nothing"}).items()
    assert shown["account_id"]
    assert shown["display_name"]
    assert known.needed <= set(shown["scopes"])
    assert datetime.fromisoformat(shown["expires_at"]) > clock.now() + timedelta(minutes=59)

    move_to(clock, times(superuser)[0])
    (told,) = await bus.wait_told(ConnectionRefreshedV1)
    assert isinstance(told, ConnectionRefreshedV1)
    assert (told.connection_id, told.expires_at) == (connection_id, times(superuser)[1])
    assert told.expires_at > datetime.fromisoformat(shown["expires_at"])
    assert superuser.execute("SELECT generation FROM sealed_grant").fetchall() == [(2,)]
    assert len((await room.borrow(connection_id)).leases) == 1

    assert await room.connect(platform) == connection_id
    assert len(await room.list()) == 1
    superuser.execute("DELETE FROM lease")

    answer = (await room.disconnect(connection_id)).json()
    assert (answer["state"], answer["platform_confirmed"]) == ("revoked", known.revokes)
    if known.revokes:
        assert len(room.sandbox.truth.revocations(platform)) == 1
        assert answer["where_to_withdraw"] is None
    else:
        withdrawal = ACCESS[PlatformName(platform)].withdrawal
        assert answer["where_to_withdraw"] == {"url": withdrawal.url, "steps": withdrawal.steps}
        assert answer["unconfirmed_because"] == "not_possible"
    assert counts(superuser, "sealed_grant", "lease") == [0, 0]
    assert await room.list() == []


@pytest.mark.promise("P20")
async def test_a_no_an_unticked_scope_and_a_forged_state_connect_nothing(room: Room, platform: str, superuser: Rows):
    known = NINE[platform]
    denied = await room.come_back(await room.leave(platform, decision="deny"))
    assert (denied.status_code, denied.json()["type"]) == (403, TYPE_PREFIX + "authorisation-denied")
    # The first scope of each is its basis, without which some have no page to show at all.
    *_, unticked = sorted(known.needed - {"atproto", "threads_basic", "instagram_business_basic"})
    left = sorted((known.needed | known.optional) - {unticked})
    missing = await room.come_back(await room.leave(platform, scopes=left))
    assert (missing.status_code, missing.json()["type"]) == (403, TYPE_PREFIX + "scope-missing")
    assert missing.json()["scopes"] == [unticked]
    callback = await room.leave(platform)
    forged = await room.come_back(callback | {"state": callback["state"][::-1]})
    assert (forged.status_code, forged.json()["type"]) == (404, TYPE_PREFIX + "authorisation-unknown")
    assert counts(superuser, "connection", "sealed_grant") == [0, 0]
