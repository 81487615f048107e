"""The edge over HTTP: who gets through, what passes on, what comes back."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from gateway.main import create_app
from kit.ids import new_id
from kit.settings import SettingError
from kit.testing.services import Running, ServiceEnvironment

from .conftest import STRANGE_SITE, TOKEN, Neighbours

COOKIE = {"Cookie": f"signoff_session={TOKEN}"}
JSON = {"Content-Type": "application/json"}
SIGN_IN = {"email": "owner@example.com", "password": "right"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].removeprefix("urn:signoff:problem:")


@pytest.mark.promise("P05")
async def test_signing_in_hands_the_token_to_the_cookie_alone(client: httpx.AsyncClient, neighbours: Neighbours):
    answer = await client.post("/api/session", json=SIGN_IN)
    assert answer.status_code == 201
    assert answer.json().keys() == {"account_id", "expires_at"}
    assert TOKEN not in answer.text
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith(f"signoff_session={TOKEN}; Path=/; Max-Age=3")
    assert cookies[0].endswith("HttpOnly; SameSite=Lax")


async def test_a_refused_sign_in_sets_no_cookie(client: httpx.AsyncClient):
    answer = await client.post("/api/session", json=SIGN_IN | {"password": "wrong"})
    assert problem(answer) == (401, "unauthenticated")
    assert "set-cookie" not in answer.headers


async def test_production_cookies_travel_over_https_only(
    neighbours: Neighbours, service_environment: ServiceEnvironment, running: Running
):
    environment = service_environment("gateway") | {"SIGNOFF_STAGE": "production", "CLOCK_FILE": ""}
    async with running(create_app(environment, transports=neighbours.transports())) as client:
        answer = await client.post("/api/session", json=SIGN_IN)
    assert answer.headers["set-cookie"].endswith("; Secure")
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_signing_out_clears_the_cookie(client: httpx.AsyncClient):
    answer = await client.delete("/api/session", headers=COOKIE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.promise("P22")
async def test_a_cookie_becomes_a_passport_and_goes_no_further(client: httpx.AsyncClient, neighbours: Neighbours):
    smuggled = {"Authorization": "Basic bWluZQ==", "X-Forwarded-For": "1.2.3.4", "Connection": "x", "X-Anything": "1"}
    answer = await client.get("/api/account", headers=COOKIE | smuggled)
    assert answer.json() == {"account_id": str(neighbours.account_id)}
    [seen] = neighbours.headers
    assert seen["authorization"] == "Bearer passport-for-None"
    assert seen["x-forwarded-for"] != "1.2.3.4"
    assert not {"cookie", "x-anything"} & seen.keys()
    assert len(seen["traceparent"].split("-")) == 4


@pytest.mark.parametrize("cookie", ["", "signoff_session=another", "signoff_session="])
@pytest.mark.parametrize("path", ["/api/account", "/api/workspaces/{workspace}/posts"])
async def test_a_stranger_gets_nothing(client: httpx.AsyncClient, neighbours: Neighbours, path: str, cookie: str):
    answer = await client.get(path.format(workspace=neighbours.workspace_id), headers={"Cookie": cookie})
    assert problem(answer) == (401, "unauthenticated")
    assert neighbours.requests == []


@pytest.mark.promise("P11")
async def test_another_workspace_is_refused(client: httpx.AsyncClient, neighbours: Neighbours):
    answer = await client.get(f"/api/workspaces/{new_id()}/posts", headers=COOKIE)
    assert problem(answer) == (403, "forbidden")
    assert answer.json()["needs"] == "workspace.member"
    assert neighbours.requests == []


async def test_an_answer_passes_as_it_is_but_for_its_cookies(client: httpx.AsyncClient, neighbours: Neighbours):
    path = f"/api/workspaces/{neighbours.workspace_id}/posts"
    answer = await client.get(f"{path}?after=x%20y&after=z", headers=COOKIE)
    assert (answer.status_code, answer.content) == (500, b"boom")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in answer.headers
    assert neighbours.requests == [(path, [("after", "x y"), ("after", "z")])]


async def test_an_owners_problem_passes_unchanged(client: httpx.AsyncClient):
    answer = await client.request("DELETE", "/api/account", headers=COOKIE, json={"password": "x"})
    assert problem(answer) == (409, "conflict")
    assert answer.json()["workspaces"] == 1
    assert "set-cookie" not in answer.headers


async def test_an_upload_streams_through_whole(client: httpx.AsyncClient, neighbours: Neighbours):
    piece = bytes(range(256)) * 1024

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield piece

    answer = await client.post(
        f"/api/workspaces/{neighbours.workspace_id}/media",
        content=pieces(),
        headers=COOKIE | {"Content-Type": "video/mp4"},
    )
    assert answer.json() == {"sha256": hashlib.sha256(piece * 20).hexdigest(), "size_bytes": len(piece) * 20}
    assert neighbours.requests[0][1] == 20
    assert neighbours.headers[0]["content-type"] == "video/mp4"


async def test_an_upload_that_announces_too_much_is_not_begun(client: httpx.AsyncClient, neighbours: Neighbours):
    headers = COOKIE | {"Content-Type": "video/mp4", "Content-Length": str(512 * 1024 * 1024 + 1)}
    answer = await client.post(f"/api/workspaces/{neighbours.workspace_id}/media", content=b"x", headers=headers)
    assert answer.status_code == 413
    assert neighbours.requests == []


async def test_a_large_json_body_is_refused(client: httpx.AsyncClient, neighbours: Neighbours):
    answer = await client.post("/api/accounts", content=b"1" * (1024 * 1024 + 1), headers=JSON)
    assert problem(answer) == (413, "content-too-large")
    assert neighbours.requests == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": STRANGE_SITE}, (403, "foreign-origin")),
        ({"Sec-Fetch-Site": "cross-site"}, (403, "foreign-origin")),
        ({"Content-Type": "text/plain"}, (415, "not-json")),
        ({"Content-Type": "multipart/form-data"}, (415, "not-json")),
    ],
)
async def test_another_site_changes_nothing(
    client: httpx.AsyncClient, neighbours: Neighbours, headers: dict[str, str], expected: tuple[int, str]
):
    answer = await client.post("/api/accounts", content=b"{}", headers=COOKIE | JSON | headers)
    assert problem(answer) == expected
    assert neighbours.requests == []


async def test_our_own_page_may(client: httpx.AsyncClient, neighbours: Neighbours):
    headers = {"Origin": "http://service", "Sec-Fetch-Site": "same-origin"}
    answer = await client.post("/api/accounts", json={"email": "owner@example.com"}, headers=headers)
    assert answer.status_code == 201
    assert neighbours.requests == [("/api/accounts", {"email": "owner@example.com"})]


@pytest.mark.promise("P97")
async def test_too_many_attempts_wait(client: httpx.AsyncClient):
    statuses = [(await client.post("/api/session", json=SIGN_IN)).status_code for _ in range(3)]
    assert statuses == [201, 201, 201]
    for path in ("/api/session", "/api/accounts"):
        answer = await client.post(path, json=SIGN_IN)
        assert problem(answer) == (429, "too-many-attempts")
        assert 0 < int(answer.headers["retry-after"]) <= 60
    assert (await client.get("/api/account", headers=COOKIE)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/nothing", (404, "not-found")),
        ("GET", "/internal/passports", (404, "not-found")),
        ("POST", "/api/../internal/passports", (404, "not-found")),
        ("GET", "/api/workspaces/not-an-id/posts", (404, "not-found")),
        ("PATCH", "/api/account", (405, "method-not-allowed")),
        ("DELETE", "/api/accounts", (405, "method-not-allowed")),
    ],
)
async def test_what_is_not_in_the_table_does_not_exist(
    client: httpx.AsyncClient, method: str, path: str, expected: tuple[int, str]
):
    assert problem(await client.request(method, path, headers=COOKIE)) == expected


async def test_a_neighbour_that_is_away_is_said_so(client: httpx.AsyncClient, neighbours: Neighbours):
    answer = await client.get(f"/api/workspaces/{neighbours.workspace_id}/schedules", headers=COOKIE)
    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_without_auth_nobody_is_let_through(service_environment: ServiceEnvironment, running: Running):
    urls = {f"SERVICE_URL_{name}": "http://127.0.0.1:9" for name in
            ("AUTH", "CONTENT", "SCHEDULER", "PUBLISHER", "METRICS", "RETENTION")}  # fmt: skip
    async with running(create_app(service_environment("gateway") | urls)) as client:
        assert problem(await client.get("/api/account", headers=COOKIE)) == (503, "unavailable")
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/account", "/api/nothing"])
async def test_every_answer_keeps_browsers_careful(client: httpx.AsyncClient, path: str):
    answer = await client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (answer.headers.get("cache-control") == "no-store") == path.startswith("/api")
    assert "server" not in answer.headers


async def test_the_api_is_described(client: httpx.AsyncClient):
    document: dict[str, Any] = (await client.get("/openapi/openapi.json")).json()
    assert "/api/workspaces/{workspace_id}/posts" in document["paths"]


@pytest.mark.parametrize("name", ["SIGNING_KEY_FILE_GATEWAY", "TRUSTED_KEYS_FILE"])
async def test_a_missing_setting_is_named(service_environment: ServiceEnvironment, name: str):
    environment = service_environment("gateway")
    del environment[name]
    with pytest.raises(SettingError, match=name):
        create_app(environment)


async def test_a_missing_neighbour_is_named(service_environment: ServiceEnvironment):
    with pytest.raises(SettingError, match="SERVICE_URL_AUTH"):
        create_app(service_environment("gateway"))


@pytest.mark.promise("P05")
async def test_a_browser_that_leaves_for_a_provider_is_known_when_it_comes_back(
    client: httpx.AsyncClient, neighbours: Neighbours
):
    smuggled = {"X-Signoff-Browser": "mine"}
    left = await client.post("/api/openid/sign-ins", json={"provider": "acme"}, headers=smuggled)
    assert left.status_code == 201
    (cookie,) = left.headers.get_list("set-cookie")
    token = neighbours.headers[-1]["x-signoff-browser"]
    assert len(token) == 43
    assert cookie == f"signoff_browser={token}; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax"
    assert token not in left.text

    client.cookies.clear()
    back = await client.get("/api/openid/callback", params={"state": "new"}, headers=smuggled)
    assert "x-signoff-browser" not in neighbours.headers[-1]
    assert back.json() == {"state": "attestation_needed"}
    assert "set-cookie" not in back.headers
    known = await client.get("/api/openid/callback", headers={"Cookie": f"signoff_browser={token}"})
    assert neighbours.headers[-1]["x-signoff-browser"] == token
    assert known.json().keys() == {"state", "expires_at"}
    assert known.headers["set-cookie"].startswith(f"signoff_session={TOKEN}; Path=/; ")


async def test_a_browser_gets_another_token_each_time_and_none_for_a_refusal(
    client: httpx.AsyncClient, neighbours: Neighbours
):
    first = await client.post("/api/openid/sign-ins", json={"provider": "acme"})
    second = await client.post("/api/openid/sign-ins", json={"provider": "acme"})
    assert first.headers["set-cookie"] != second.headers["set-cookie"]
    refused = await client.post("/api/openid/sign-ins", json={"provider": "none"})
    assert refused.status_code == 409
    assert "set-cookie" not in refused.headers
