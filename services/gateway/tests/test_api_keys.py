"""Programs at the edge: a key instead of a cookie, never both, and not as often as they like."""

from __future__ import annotations

import httpx
import pytest
from contracts.api_keys import compose
from gateway.main import create_app
from kit.testing.services import Running, ServiceEnvironment

from .conftest import KEY, STRANGE_SITE, TOKEN, Neighbours
from .test_api import COOKIE, problem

BEARER = {"Authorization": f"Bearer {KEY}"}
UNKNOWN = compose("unknown0", "u" * 43)


@pytest.mark.promise("P06")
async def test_a_key_becomes_a_passport_and_goes_no_further(client: httpx.AsyncClient, neighbours: Neighbours):
    await client.get(f"/api/workspaces/{neighbours.workspace_id}/posts", headers=BEARER)
    await client.get("/api/account", headers={"Authorization": f"bearer  {KEY} "})
    assert [seen["authorization"] for seen in neighbours.headers] == [
        f"Bearer key-for-{neighbours.workspace_id}",
        "Bearer key-for-None",
    ]
    assert all(KEY not in str(seen) for seen in neighbours.headers)


async def test_a_key_needs_no_origin_for_no_page_can_send_it_along(client: httpx.AsyncClient, neighbours: Neighbours):
    path = f"/api/workspaces/{neighbours.workspace_id}/media"
    strange = {"Origin": STRANGE_SITE, "Content-Type": "image/png"}
    assert (await client.post(path, content=b"x", headers=BEARER | strange)).status_code == 201
    assert problem(await client.post(path, content=b"x", headers=COOKIE | strange)) == (403, "foreign-origin")
    # Where no key is asked for, none stands in for the origin.
    sign_up = await client.post("/api/accounts", json={}, headers=BEARER | {"Origin": STRANGE_SITE})
    assert problem(sign_up) == (403, "foreign-origin")


async def test_a_key_and_a_cookie_are_one_too_many(client: httpx.AsyncClient, neighbours: Neighbours):
    assert problem(await client.get("/api/account", headers=BEARER | COOKIE)) == (400, "two-credentials")
    assert (neighbours.requests, neighbours.passports_asked) == ([], 0)


@pytest.mark.parametrize("shown", [UNKNOWN, KEY[:-1], KEY + "x", "so_", "", "eyJhbGciOi.x.y", TOKEN])
@pytest.mark.promise("P06")
async def test_what_is_no_key_is_refused_in_the_same_words(client: httpx.AsyncClient, shown: str):
    answer = await client.get("/api/account", headers={"Authorization": f"Bearer {shown}"})
    assert problem(answer) == (401, "key-refused")
    assert answer.json()["title"] == "This API key is not valid"
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_who_shows_nothing_is_told_what_can_be_shown(client: httpx.AsyncClient):
    for headers in ({}, {"Authorization": "Basic b3duZXI6cGFzcw=="}):
        answer = await client.get("/api/account", headers=headers)
        assert problem(answer) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.promise("P97")
async def test_nobody_tries_many_keys_from_one_address(client: httpx.AsyncClient, neighbours: Neighbours):
    shown = [compose(f"guess{number:03}", "g" * 43) for number in range(5)]
    answers = [
        await client.get("/api/account", headers={"Authorization": f"Bearer {key}"}) for key in [*shown[:4], KEY]
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert "retry-after" in answers[-1].headers
    assert neighbours.passports_asked == 3


@pytest.mark.promise("P97")
async def test_one_key_asks_as_often_as_is_set_and_no_other_suffers(
    neighbours: Neighbours, service_environment: ServiceEnvironment, running: Running
):
    limits = {"KEY_REQUESTS_BURST": "2", "KEY_REQUESTS_PER_MINUTE": "1"}
    async with running(
        create_app(service_environment("gateway") | limits, transports=neighbours.transports())
    ) as client:
        answers = [await client.get("/api/account", headers=BEARER) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert problem(answers[-1]) == (429, "too-many-requests")
        assert int(answers[-1].headers["retry-after"]) > 0
        other = {"Authorization": f"Bearer {UNKNOWN}"}
        assert (await client.get("/api/account", headers=other)).status_code == 401
        assert (await client.get("/api/account", headers=COOKIE)).status_code == 200
