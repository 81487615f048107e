"""The imitated LinkedIn refuses what the real one does, and says it in the same words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from kit.clock import FixedClock
from kit.testing import wait_for
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.linkedin.state import Client
from sandbox.linkedin.webhooks import sign
from sandbox.server import Sandbox
from sandbox.serving import LoopbackServer

from libs.sandbox.tests.linkedin.caller import CLIENT, ORGANISATION, PERSON, Caller


def code_of(answer: httpx.Response) -> str:
    """The most precise name of an error."""
    told = answer.json()
    inputs = told.get("errorDetails", {}).get("inputErrors")
    return str(inputs[0]["code"] if inputs else told["code"])


async def test_a_code_is_good_once_for_its_address(caller: Caller):
    code = (await caller.code())["code"]
    assert (await caller.exchange(code, redirect_uri="http://127.0.0.1:8000/other")).status_code == 400
    assert (await caller.exchange(code)).json()["error"] == "invalid_request"


async def test_a_scope_that_the_application_does_not_have_is_refused_before_the_page(caller: Caller):
    query = {"response_type": "code", "client_id": CLIENT["client_id"], "redirect_uri": "http://x/", "state": "s"}
    url = f"{caller.base}/oauth/v2/authorization"
    answer = await caller.http.get(url, params=query | {"scope": "r_member_social"}, follow_redirects=False)
    assert "error=unauthorized_scope_error" in answer.headers["location"]


async def test_another_set_of_scopes_ends_the_tokens_before_it(caller: Caller):
    first = caller.token
    await caller.connect("w_member_social")
    caller.token, second = first, caller.token
    answer = await caller.post()
    assert (answer.status_code, answer.json()["serviceErrorCode"]) == (401, 65601)
    caller.token = second
    assert (await caller.post()).status_code == 201


async def test_a_token_tells_its_state(caller: Caller, clock: FixedClock):
    assert (await caller.form("introspectToken", token=caller.token)).json()["status"] == "active"
    clock.advance(timedelta(days=61))
    told = (await caller.form("introspectToken", token=caller.token)).json()
    assert (told["active"], told["status"]) == (False, "expired")
    assert (await caller.form("introspectToken", token="x", client_secret="wrong")).status_code == 401


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("LinkedIn-Version", "", 400, "VERSION_MISSING"),
        ("LinkedIn-Version", "202401", 426, "NONEXISTENT_VERSION"),
        ("LinkedIn-Version", "209901", 426, "NONEXISTENT_VERSION"),
        ("X-Restli-Protocol-Version", "1.0.0", 400, "ILLEGAL_ARGUMENT"),
    ],
)
async def test_every_call_names_versions_that_live(caller: Caller, header: str, value: str, status: int, code: str):
    caller.headers[header] = value
    answer = await caller.post()
    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_names_in_addresses_are_encoded(caller: Caller):
    urn = (await caller.post(author=ORGANISATION)).headers["x-restli-id"]
    assert (await caller.call("GET", f"posts/{quote(urn, safe='')}")).json()["commentary"] == "Hello"
    assert (await caller.call("GET", f"posts/{urn}")).status_code == 400


async def test_a_post_is_told_in_headers_alone(caller: Caller, sandbox: Sandbox):
    answer = await caller.post()
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["x-restli-id"].startswith("urn:li:share:")
    assert sandbox.truth.posts("linkedin")[0].post_id == answer.headers["x-restli-id"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"author": None}, "UNPROCESSABLE_ENTITY"),
        ({"surprise": 1}, "UNPROCESSABLE_ENTITY"),
        ({"author": "urn:li:share:1"}, "INVALID_URN_TYPE"),
        ({"author": "urn:li:organization:1"}, "ACCESS_DENIED"),
        ({"lifecycleState": "DRAFT"}, "INVALID_VALUE_FOR_FIELD"),
        ({"author": ORGANISATION, "visibility": "CONNECTIONS"}, "INVALID_VALUE_FOR_FIELD"),
        ({"text": " "}, "INVALID_VALUE_BLANK_FIELD"),
        ({"text": "x" * 3001}, "FIELD_LENGTH_TOO_LONG"),
        ({"content": {"media": {"id": "urn:li:image:x"}}}, "INVALID_URN_ID"),
        ({"content": {"media": {"id": "urn:li:video:x"}}}, "INVALID_VIDEO_ID"),
        ({"content": {"multiImage": {"images": [{"id": "x"}]}}}, "INVALID_VALUE_FOR_FIELD"),
        ({"content": {"article": {"source": "https://x.test"}}}, "MISSING_FIELD"),
        ({"content": {"poll": {"question": "?", "options": [{"text": "a"}]}}}, "INVALID_VALUE_FOR_FIELD"),
    ],
)
async def test_a_post_that_linkedin_refuses_is_refused(
    caller: Caller, sandbox: Sandbox, fields: dict[str, Any], code: str
):
    assert code_of(await caller.post(**fields)) == code
    assert sandbox.truth.posts("linkedin") == []


async def test_a_duplicate_names_the_earlier_post_for_ten_minutes(caller: Caller, clock: FixedClock):
    urn = (await caller.post()).headers["x-restli-id"]
    answer = await caller.post()
    assert (answer.status_code, code_of(answer)) == (422, "DUPLICATE_POST")
    assert answer.json()["message"].endswith(f"Content is a duplicate of {urn}")
    clock.advance(timedelta(minutes=10))
    assert (await caller.post()).status_code == 201


async def test_a_members_posts_cannot_be_read_back(caller: Caller):
    urn = (await caller.post()).headers["x-restli-id"]
    assert (await caller.call("GET", f"posts/{quote(urn, safe='')}")).status_code == 403


async def test_a_post_is_changed_and_removed_and_removing_again_is_fine(caller: Caller, sandbox: Sandbox):
    path = "posts/" + quote((await caller.post(author=ORGANISATION)).headers["x-restli-id"], safe="")
    patch = {"patch": {"$set": {"commentary": "Changed"}}}
    answer = await caller.call("POST", path, json=patch, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
    assert (answer.status_code, sandbox.truth.posts("linkedin")[0].text) == (204, "Changed")
    assert [(await caller.call("DELETE", path)).status_code for _ in range(2)] == [204, 204]
    assert (await caller.call("GET", path)).status_code == 404


async def test_a_videos_parts_have_the_named_sizes_and_no_token(caller: Caller):
    asked = {"owner": ORGANISATION, "fileSizeBytes": 4_194_305, "uploadCaptions": False, "uploadThumbnail": False}
    begun = await caller.call("POST", "videos?action=initializeUpload", json={"initializeUploadRequest": asked})
    told = begun.json()["value"]
    first, second = told["uploadInstructions"]
    assert (first["lastByte"], second["firstByte"], second["lastByte"]) == (4_194_303, 4_194_304, 4_194_304)
    http, path = caller.http, f"videos/{quote(told['video'], safe='')}"
    assert (await http.put(second["uploadUrl"], content=b"xy")).status_code == 400
    token = {"Authorization": f"Bearer {caller.token}"}
    assert (await http.put(second["uploadUrl"], content=b"x", headers=token)).status_code == 403
    stored = await http.put(second["uploadUrl"], content=b"x")
    assert stored.headers["etag"]
    body = {"video": told["video"], "uploadToken": "", "uploadedPartIds": [stored.headers["etag"]]}
    finished = await caller.call("POST", "videos?action=finalizeUpload", json={"finalizeUploadRequest": body})
    assert finished.status_code == 400
    assert (await caller.call("GET", path)).json()["status"] == "WAITING_UPLOAD"


async def test_a_file_serves_its_owner_alone(caller: Caller):
    begun = await caller.call(
        "POST", "images?action=initializeUpload", json={"initializeUploadRequest": {"owner": ORGANISATION}}
    )
    told = begun.json()["value"]
    content = {"media": {"id": told["image"]}}
    assert code_of(await caller.post(author=ORGANISATION, content=content)) == "MEDIA_ASSET_WAITING_UPLOAD"
    assert (await caller.http.put(told["uploadUrl"], content=b"x")).status_code == 401
    token = {"Authorization": f"Bearer {caller.token}"}
    assert (await caller.http.put(told["uploadUrl"], content=b"x", headers=token)).status_code == 201
    assert code_of(await caller.post(content=content)) == "INVALID_URN_ID"
    assert (await caller.post(author=ORGANISATION, content=content)).status_code == 201


async def test_a_days_calls_are_counted_until_midnight(caller: Caller, imitated: LinkedInSandbox, clock: FixedClock):
    imitated.state.clients["sandbox-client-id"] = Client(tier="development")
    for number in range(100):
        assert (await caller.post(f"Post {number}")).status_code == 201
    answer = await caller.post("One more")
    assert (answer.status_code, "MEMBER DAY limit" in answer.json()["message"]) == (429, True)
    clock.advance(timedelta(hours=24))
    assert (await caller.post("One more")).status_code == 201


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[str, list[tuple[str, bytes]]]]:
    """Answers challenges, takes the first delivery amiss and every further one well."""
    received: list[tuple[str, bytes]] = []
    secret = CLIENT["client_secret"]

    @get("/hook", sync_to_thread=False)
    def challenge(request: Request[Any, Any, State]) -> dict[str, str]:
        code = request.query_params["challengeCode"]
        return {"challengeCode": code, "challengeResponse": sign(secret, code.encode())}

    @post("/hook")
    async def take(request: Request[Any, Any, State]) -> Response[None]:
        received.append((request.headers["x-li-signature"], await request.body()))
        return Response(None, status_code=500 if len(received) == 1 else 200)

    server = LoopbackServer()
    await server.start(Litestar([challenge, take], openapi_config=None))
    yield f"{server.base_url}/hook", received
    await server.stop()


async def test_a_webhook_is_challenged_signed_and_repeated(
    caller: Caller, receiver: tuple[str, list[tuple[str, bytes]]]
):
    url, received = receiver
    names = {
        "developerApplication": f"urn:li:developerApplication:{CLIENT['client_id']}",
        "user": PERSON,
        "entity": ORGANISATION,
    }
    key = ",".join(f"{name}:{quote(value, safe='')}" for name, value in names.items())
    path = f"eventSubscriptions/({key},eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)"
    refused = await caller.call("PUT", path, json={"webhook": f"{url}/elsewhere"})
    assert refused.status_code == 400
    assert (await caller.call("PUT", path, json={"webhook": url})).status_code == 204
    urn = (await caller.post(author=ORGANISATION)).headers["x-restli-id"]
    body = {"actor": ORGANISATION, "object": urn, "message": {"text": "Hi"}}
    await caller.call("POST", f"socialActions/{quote(urn, safe='')}/comments", json=body)
    await wait_for(lambda: len(received) == 2)
    assert received[0] == received[1]
    signature, delivered = received[1]
    assert signature == sign(CLIENT["client_secret"], b"hmacsha256=" + delivered)
    assert b'"ADMIN_COMMENT"' in delivered
