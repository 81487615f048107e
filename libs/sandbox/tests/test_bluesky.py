"""The imitated Bluesky keeps to the wire: proofs are really checked, records really validated."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from kit.clock import FixedClock
from sandbox.bluesky import cid
from sandbox.bluesky.state import POST
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

REDIRECT = "http://127.0.0.1:9/cb"
CLIENT_ID = f"http://localhost?{urlencode({'redirect_uri': REDIRECT, 'scope': 'atproto transition:generic'})}"
VERIFIER = "v" * 43
RKEY = "3jzfcijpj2z2a"


class Caller:
    """A bare client that signs exactly what a test tells it to."""

    def __init__(self, http: httpx.AsyncClient, base: str, clock: FixedClock) -> None:
        self.http = http
        self.base = base
        self.clock = clock
        self.key = ECKey.generate_key("P-256")
        self.nonce = ""
        self.tokens: dict[str, Any] = {}

    def proof(self, method: str, path: str, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_hex(8),
            "htm": method,
            "htu": self.base + path,
            "iat": int(self.clock.now().timestamp()),
            "nonce": self.nonce,
        }
        if self.tokens:
            digest = hashlib.sha256(self.tokens["access_token"].encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        key = changes.pop("key", self.key)
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        return jwt.encode(header, claims | changes, key, algorithms=["ES256"])

    async def form(self, path: str, data: dict[str, str]) -> httpx.Response:
        answer = await self.http.post(self.base + path, data=data, headers={"DPoP": self.proof("POST", path)})
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)
        return answer

    async def sign_in(self, scope: str = "atproto transition:generic") -> None:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        pushed = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT, "scope": scope}
        pushed |= {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s"}
        refused = await self.form("/oauth/par", pushed)
        assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
        request_uri = (await self.form("/oauth/par", pushed)).json()["request_uri"]
        query = urlencode({"client_id": CLIENT_ID, "request_uri": request_uri})
        callback = callback_parameters(await give_consent(self.http, f"{self.base}/oauth/authorize?{query}"))
        assert callback["iss"] == self.base
        form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": REDIRECT}
        answer = await self.form("/oauth/token", form | {"code_verifier": VERIFIER, "client_id": CLIENT_ID})
        self.tokens = answer.json()

    async def call(self, method: str, body: Any, *, proof: str | None = None) -> httpx.Response:
        path = f"/xrpc/{method}"
        headers = {
            "Authorization": f"DPoP {self.tokens['access_token']}",
            "DPoP": proof or self.proof("POST", path),
            "Content-Type": "application/json",
        }
        answer = await self.http.post(self.base + path, content=json.dumps(body), headers=headers)
        self.nonce = answer.headers["dpop-nonce"]
        return answer

    async def put(self, record: dict[str, Any], rkey: str = RKEY, **more: Any) -> httpx.Response:
        body = {"repo": self.tokens["sub"], "collection": POST, "rkey": rkey, "record": record} | more
        return await self.call("com.atproto.repo.putRecord", body)


def record(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-22T10:00:00.000Z"} | fields


@pytest.fixture
async def caller(sandbox: Sandbox, http: httpx.AsyncClient, clock: FixedClock) -> Caller:
    caller = Caller(http, sandbox.base_urls["bluesky"], clock)
    await caller.sign_in()
    return caller


def test_identifiers_are_those_of_the_protocol() -> None:
    assert cid.of_bytes_digest(hashlib.sha256(b"").digest()) == (
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    )
    assert cid.of_record({}) == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "f6"),
        (True, "f5"),
        (23, "17"),
        (24, "1818"),
        (-1, "20"),
        (1_000_000, "1a000f4240"),
        ("ü", "62c3bc"),
        ([1, [2]], "82018102"),
        ({"bb": 1, "a": 2, "aa": 3}, "a361610262616103626262" + "01"),
    ],
)
def test_records_are_encoded_the_one_way(value: Any, encoded: str) -> None:
    assert cid.encode(value).hex() == encoded


def test_what_a_record_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="float"):
        cid.encode({"x": 1.5})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"htm": "GET"}, "invalid_dpop_proof"),
        ({"htu": "http://127.0.0.1/elsewhere"}, "invalid_dpop_proof"),
        ({"ath": "x"}, "invalid_dpop_proof"),
        ({"iat": 1}, "invalid_dpop_proof"),
        ({"nonce": "old"}, "use_dpop_nonce"),
    ],
)
async def test_a_proof_must_fit_the_request(caller: Caller, changes: dict[str, Any], error: str) -> None:
    path = "/xrpc/com.atproto.repo.putRecord"
    answer = await caller.call("com.atproto.repo.putRecord", {}, proof=caller.proof("POST", path, **changes))
    assert (answer.status_code, answer.json()["error"]) == (401, error)
    assert f'error="{error}"' in answer.headers["www-authenticate"]


async def test_a_proof_works_once_and_only_with_the_sessions_key(caller: Caller) -> None:
    path, body = "/xrpc/com.atproto.repo.putRecord", {"repo": caller.tokens["sub"]}
    proof = caller.proof("POST", path)
    first = await caller.call("com.atproto.repo.putRecord", body, proof=proof)
    assert first.status_code == 400
    again = await caller.call("com.atproto.repo.putRecord", body, proof=proof)
    assert again.json()["error"] == "invalid_dpop_proof"
    stranger = caller.proof("POST", path, key=ECKey.generate_key("P-256"))
    assert (await caller.call("com.atproto.repo.putRecord", body, proof=stranger)).json()["error"] == "invalid_token"


async def test_what_a_write_does_to_an_existing_key(caller: Caller, sandbox: Sandbox) -> None:
    first = await caller.put(record())
    assert first.status_code == 200
    assert "commit" in first.json()
    same = await caller.put(record())
    assert same.json()["cid"] == first.json()["cid"]
    assert "commit" not in same.json()
    swap = await caller.put(record(), swapRecord=None)
    assert (swap.status_code, swap.json()["error"]) == (400, "InvalidSwap")
    body = {"repo": caller.tokens["sub"], "collection": POST, "rkey": RKEY, "record": record("Other")}
    create = await caller.call("com.atproto.repo.createRecord", body)
    assert (create.status_code, create.json()["error"]) == (500, "InternalServerError")
    assert (await caller.put(record("Other"))).status_code == 200
    (post,) = sandbox.truth.posts()
    assert (post.text, post.writes) == ("Other", 2)
    removed = await caller.call("com.atproto.repo.deleteRecord", body)
    assert removed.status_code == 200
    assert sandbox.truth.posts() == []


@pytest.mark.parametrize(
    ("value", "rkey", "error"),
    [
        (record("x" * 301), RKEY, "InvalidRequest"),
        (record("👩‍👩‍👧‍👦" * 121), RKEY, "InvalidRequest"),
        (record(createdAt="yesterday"), RKEY, "InvalidRequest"),
        (record(langs=["a", "b", "c", "d"]), RKEY, "InvalidRequest"),
        (record() | {"$type": "app.bsky.feed.like"}, RKEY, "InvalidRequest"),
        (record(facets=[{"index": {"byteStart": 0, "byteEnd": 99}}]), RKEY, "InvalidRequest"),
        (record(), "not-a-tid", "InvalidRequest"),
        (record(embed={"$type": "app.bsky.embed.unknown"}), RKEY, "InvalidRequest"),
        (
            record(
                embed={
                    "$type": "app.bsky.embed.images",
                    "images": [
                        {"alt": "", "image": {"ref": {"$link": "bafkreinone"}, "mimeType": "image/a", "size": 1}}
                    ],
                }
            ),
            RKEY,
            "BlobNotFound",
        ),
    ],
)
async def test_records_are_validated(caller: Caller, value: dict[str, Any], rkey: str, error: str) -> None:
    answer = await caller.put(value, rkey)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_blob_is_named_by_its_bytes_and_collected_when_unused(
    caller: Caller, sandbox: Sandbox, clock: FixedClock
) -> None:
    path = "/xrpc/com.atproto.repo.uploadBlob"
    headers = {"Authorization": f"DPoP {caller.tokens['access_token']}", "DPoP": caller.proof("POST", path)}
    answer = await caller.http.post(caller.base + path, content=b"", headers=headers | {"Content-Type": "image/png"})
    blob = answer.json()["blob"]
    assert blob["ref"]["$link"] == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": blob | {"mimeType": "image/gif"}}]}
    assert (await caller.put(record(embed=embed))).json()["error"] == "InvalidMimeType"
    embed["images"] = [{"alt": "", "image": blob | {"size": 7}}]
    assert (await caller.put(record(embed=embed))).json()["error"] == "InvalidSize"
    clock.advance(timedelta(minutes=59))
    embed["images"] = [{"alt": "", "image": blob}]
    await caller.put(record())
    clock.advance(timedelta(seconds=1))
    assert sandbox.bluesky.state.blob_of(caller.tokens["sub"], blob["ref"]["$link"]) is not None
    clock.advance(timedelta(minutes=2))
    assert sandbox.bluesky.state.blob_of(caller.tokens["sub"], blob["ref"]["$link"]) is None


async def test_a_granular_scope_is_enough_and_a_missing_one_is_named(
    sandbox: Sandbox, http: httpx.AsyncClient, clock: FixedClock
) -> None:
    caller = Caller(http, sandbox.base_urls["bluesky"], clock)
    await caller.sign_in("atproto repo:app.bsky.feed.post?action=create")
    answer = await caller.put(record())
    assert (answer.status_code, answer.json()["error"]) == (403, "ScopeMissingError")
    assert "repo:app.bsky.feed.post?action=update" in answer.json()["message"]
    body = {"repo": caller.tokens["sub"], "collection": POST, "record": record()}
    assert (await caller.call("com.atproto.repo.createRecord", body)).status_code == 200


async def test_writes_are_limited_by_points(caller: Caller, sandbox: Sandbox) -> None:
    left, _ = sandbox.bluesky.state.spend_points(caller.tokens["sub"], 4998, limit=5000)
    assert left == 2
    answer = await caller.put(record())
    assert (answer.status_code, answer.json()["error"]) == (429, "RateLimitExceeded")
    assert int(answer.headers["ratelimit-reset"]) == int(sandbox.clock.now().timestamp()) + 3600


async def test_the_appview_lags_and_lists_go_backwards(
    caller: Caller, sandbox: Sandbox, clock: FixedClock, http: httpx.AsyncClient
) -> None:
    sandbox.tuning.appview_lag_seconds = 5
    keys = ["3jzfcijpj2z2a", "3jzfcijpj2z2b", "3jzfcijpj2z2c"]
    uris = [(await caller.put(record(key), key)).json()["uri"] for key in keys]
    url = f"{caller.base}/xrpc/app.bsky.feed.getPosts"
    assert (await http.get(url, params={"uris": uris})).json()["posts"] == []
    clock.advance(timedelta(seconds=5))
    assert [post["uri"] for post in (await http.get(url, params={"uris": uris})).json()["posts"]] == uris
    query: dict[str, Any] = {"repo": "brand.test", "collection": POST, "limit": 2}
    page = (await http.get(f"{caller.base}/xrpc/com.atproto.repo.listRecords", params=query)).json()
    assert [entry["uri"] for entry in page["records"]] == uris[:0:-1]
    rest = await http.get(f"{caller.base}/xrpc/com.atproto.repo.listRecords", params=query | {"cursor": page["cursor"]})
    assert [entry["uri"] for entry in rest.json()["records"]] == uris[:1]


METHODS = (
    "com.atproto.repo.uploadBlob",
    "com.atproto.repo.putRecord",
    "com.atproto.repo.createRecord",
    "com.atproto.repo.deleteRecord",
    "com.atproto.repo.getRecord",
    "com.atproto.repo.listRecords",
    "com.atproto.identity.resolveHandle",
    "app.bsky.feed.getPosts",
    "app.bsky.actor.getProfile",
)


def _lexicons() -> list[tuple[str, dict[str, Any]]]:
    """The published lexicons of what is imitated, from the folder that SIGNOFF_SPECS names; none without it."""
    folder = Path(os.environ.get("SIGNOFF_SPECS", "")) / "bluesky" / "lexicons"
    files = [(method, folder.joinpath(*method.split(".")).with_suffix(".json")) for method in METHODS]
    found = [(method, json.loads(file.read_text())["defs"]["main"]) for method, file in files if file.is_file()]
    print(f"{len(found)} of {len(METHODS)} lexicons are here; SIGNOFF_SPECS names their folder")  # noqa: T201
    return found


async def test_every_method_is_of_the_kind_its_lexicon_says(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    for method, definition in _lexicons():
        url = f"{sandbox.base_urls['bluesky']}/xrpc/{method}"
        allowed, other = ("GET", "POST") if definition["type"] == "query" else ("POST", "GET")
        assert (await http.request(allowed, url)).status_code not in (404, 405)
        assert (await http.request(other, url)).status_code == 405
