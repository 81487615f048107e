"""Proofs and their time, sessions by app password, and tokens that are lent to other services."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.bluesky.state import APP_PASSWORD
from sandbox.server import Sandbox

from libs.sandbox.tests.bluesky.conftest import Caller

PUT = "/xrpc/com.atproto.repo.putRecord"


@pytest.mark.parametrize(
    ("seconds", "error"), [(-191, "invalid_dpop_proof"), (191, "invalid_dpop_proof"), (-189, ""), (189, "")]
)
async def test_clocks_may_differ_by_three_minutes_and_each_answer_tells_the_servers(
    caller: Caller, clock: FixedClock, seconds: int, error: str
) -> None:
    proof = caller.proof("POST", PUT, iat=int(clock.now().timestamp()) + seconds)
    answer = await caller.call("com.atproto.repo.putRecord", {}, proof=proof)
    assert answer.json()["error"] == (error or "Forbidden")
    assert parsedate_to_datetime(answer.headers["date"]) == clock.now()


class Password:
    """A session by app password."""

    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        self._http = http
        self._base = base

    async def post(self, method: str, token: str = "", **body: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._http.post(
            f"{self._base}/xrpc/com.atproto.server.{method}", json=body or None, headers=headers
        )

    async def whoami(self, token: str) -> httpx.Response:
        url = f"{self._base}/xrpc/com.atproto.server.getSession"
        return await self._http.get(url, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def password(http: httpx.AsyncClient, sandbox: Sandbox) -> Password:
    return Password(http, sandbox.base_urls["bluesky"])


async def test_a_refresh_token_has_one_successor_for_two_hours(password: Password, clock: FixedClock) -> None:
    first = (await password.post("createSession", identifier="brand.test", password=APP_PASSWORD)).json()
    assert (await password.whoami(first["accessJwt"])).json()["handle"] == "brand.test"
    second = (await password.post("refreshSession", first["refreshJwt"])).json()
    assert second["refreshJwt"] != first["refreshJwt"]
    clock.advance(timedelta(hours=2))
    assert (await password.post("refreshSession", first["refreshJwt"])).status_code == 200
    clock.advance(timedelta(seconds=1))
    late = await password.post("refreshSession", first["refreshJwt"])
    assert (late.status_code, late.json()["error"]) == (400, "InvalidToken")


async def test_an_ended_session_is_dead_and_an_access_token_lives_two_hours(
    password: Password, clock: FixedClock
) -> None:
    tokens = (await password.post("createSession", identifier="brand.test", password=APP_PASSWORD)).json()
    clock.advance(timedelta(hours=2))
    assert (await password.whoami(tokens["accessJwt"])).json()["error"] == "ExpiredToken"
    assert (await password.post("deleteSession", tokens["refreshJwt"])).status_code == 200
    assert (await password.post("refreshSession", tokens["refreshJwt"])).json()["error"] == "ExpiredToken"


@pytest.mark.parametrize(("identifier", "word"), [("brand.test", "wrong"), ("nobody.test", APP_PASSWORD)])
async def test_a_stranger_gets_no_session(password: Password, identifier: str, word: str) -> None:
    answer = await password.post("createSession", identifier=identifier, password=word)
    assert (answer.status_code, answer.json()["error"]) == (401, "AuthenticationRequired")


async def test_a_blocked_account_gets_no_session(password: Password, sandbox: Sandbox) -> None:
    account = sandbox.bluesky.state.account_of("brand.test")
    assert account is not None
    account.blocked = "AccountTakedown"
    answer = await password.post("createSession", identifier="brand.test", password=APP_PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (401, "AccountTakedown")


LEND = "com.atproto.server.getServiceAuth"
UPLOAD = "com.atproto.repo.uploadBlob"


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"aud": "did:web:x", "lxm": UPLOAD}, 200, ""),
        ({"aud": "did:web:x", "lxm": UPLOAD, "exp": "1800"}, 200, ""),
        ({"aud": "did:web:x", "lxm": UPLOAD, "exp": "1801"}, 400, "BadExpiration"),
        ({"aud": "did:web:x", "lxm": UPLOAD, "exp": "0"}, 400, "BadExpiration"),
        ({"aud": "https://x", "lxm": UPLOAD}, 400, "InvalidRequest"),
    ],
)
async def test_a_token_is_lent_for_half_an_hour_at_most(
    caller: Caller, clock: FixedClock, query: dict[str, str], status: int, error: str
) -> None:
    if "exp" in query:
        query = query | {"exp": str(int(clock.now().timestamp()) + int(query["exp"]))}
    answer = await caller.ask(LEND, **query)
    assert (answer.status_code, answer.json().get("error", "")) == (status, error)


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (f"rpc:{UPLOAD}?aud=*", 200),
        (f"rpc:{UPLOAD}?aud=did:web:x", 200),
        (f"rpc:{UPLOAD}?aud=did:web:y", 403),
        ("rpc:app.bsky.video.getUploadLimits?aud=*", 403),
    ],
)
async def test_a_granular_scope_names_what_may_be_lent(
    sandbox: Sandbox, http: httpx.AsyncClient, clock: FixedClock, scope: str, status: int
) -> None:
    caller = Caller(http, sandbox.base_urls["bluesky"], clock)
    await caller.sign_in(f"atproto {scope}")
    assert (await caller.ask(LEND, aud="did:web:x", lxm=UPLOAD)).status_code == status
