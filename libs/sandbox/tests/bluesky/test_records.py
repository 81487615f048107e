"""The imitated Bluesky keeps to the wire: proofs are really checked, records really validated."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from kit.clock import FixedClock
from sandbox.bluesky import cid
from sandbox.bluesky.state import POST, POSTGATE, THREADGATE
from sandbox.server import Sandbox

from libs.sandbox.tests.bluesky.conftest import RKEY, Caller, record


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


def refer(key: str = RKEY) -> dict[str, str]:
    return {
        "uri": f"at://brand.test/{POST}/{key}",
        "cid": "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua",
    }


def create(value: dict[str, Any], key: str, collection: str = POST) -> dict[str, Any]:
    return {
        "$type": "com.atproto.repo.applyWrites#create",
        "collection": collection,
        "rkey": key,
        "value": value,
    }


async def test_several_records_are_written_together_or_not_at_all(caller: Caller, sandbox: Sandbox) -> None:
    keys = ["3jzfcijpj2z2a", "3jzfcijpj2z2b", "3jzfcijpj2z2c"]
    body = {"repo": caller.tokens["sub"], "writes": [create(record(key), key) for key in keys[:2]]}
    first = await caller.call("com.atproto.repo.applyWrites", body)
    assert first.status_code == 200
    assert [result["$type"].partition("#")[2] for result in first.json()["results"]] == ["createResult"] * 2
    assert sandbox.bluesky.state.spend_points(caller.tokens["sub"], 0, limit=5000)[0] == 4994
    # The second of these is there already, so the first is not written either.
    body["writes"] = [create(record(key), key) for key in (keys[2], keys[1])]
    again = await caller.call("com.atproto.repo.applyWrites", body)
    assert (again.status_code, again.json()["error"]) == (500, "InternalServerError")
    body["writes"] = [create(record(keys[2]), keys[2]), create(record("x" * 301), "3jzfcijpj2z2d")]
    assert (await caller.call("com.atproto.repo.applyWrites", body)).status_code == 400
    assert [post.text for post in sandbox.truth.posts()] == keys[:2]
    body["writes"] = [{"$type": "com.atproto.repo.applyWrites#delete", "collection": POST, "rkey": keys[0]}]
    assert (await caller.call("com.atproto.repo.applyWrites", body)).status_code == 200
    assert [post.text for post in sandbox.truth.posts()] == keys[1:2]


@pytest.mark.parametrize("writes", [None, [create(record(), RKEY)] * 201, [{"$type": "x#y"}], [create(record(), "k")]])
async def test_a_list_of_writes_that_makes_no_sense_is_refused(caller: Caller, writes: Any) -> None:
    body = {"repo": caller.tokens["sub"], "writes": writes}
    answer = await caller.call("com.atproto.repo.applyWrites", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("collection", "rule", "status"),
    [
        (THREADGATE, {"allow": [{"$type": f"{THREADGATE}#followerRule"}]}, 200),
        (THREADGATE, {"allow": []}, 200),
        (THREADGATE, {"allow": [{"$type": f"{THREADGATE}#friendRule"}]}, 400),
        (THREADGATE, {"allow": [], "post": f"at://brand.test/{POST}/3jzfcijpj2z2b"}, 400),
        (POSTGATE, {"embeddingRules": [{"$type": f"{POSTGATE}#disableRule"}]}, 200),
        (POSTGATE, {"embeddingRules": [{"$type": f"{POSTGATE}#disableRule"}] * 6}, 400),
    ],
)
async def test_a_gate_belongs_to_the_post_of_its_key(
    caller: Caller, collection: str, rule: dict[str, Any], status: int
) -> None:
    gate = {
        "$type": collection,
        "post": f"at://{caller.tokens['sub']}/{POST}/{RKEY}",
        "createdAt": "2026-11-22T10:00:00Z",
    }
    body = {"repo": caller.tokens["sub"], "collection": collection, "rkey": RKEY, "record": gate | rule}
    assert (await caller.call("com.atproto.repo.putRecord", body)).status_code == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reply": {"root": refer(), "parent": refer()}}, 200),
        ({"reply": {"root": refer()}}, 400),
        ({"tags": ["x"] * 9}, 400),
        ({"embed": {"$type": "app.bsky.embed.record", "record": refer()}}, 200),
        ({"embed": {"$type": "app.bsky.embed.record", "record": {"uri": "at://x"}}}, 400),
        ({"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://x", "title": ""}}}, 400),
        (
            {
                "embed": {
                    "$type": "app.bsky.embed.external",
                    "external": {"uri": "https://x", "title": "", "description": ""},
                }
            },
            200,
        ),
        ({"embed": {"$type": "app.bsky.embed.video"}}, 400),
        ({"embed": {"$type": "app.bsky.embed.images"}}, 400),
        ({"embed": {"$type": "app.bsky.embed.gallery", "items": [{"alt": ""}]}}, 400),
        (
            {
                "embed": {
                    "$type": "app.bsky.embed.recordWithMedia",
                    "record": {"record": refer()},
                    "media": {"$type": "app.bsky.embed.record"},
                }
            },
            400,
        ),
    ],
)
async def test_what_a_post_may_hold(caller: Caller, fields: dict[str, Any], status: int) -> None:
    assert (await caller.put(record(**fields))).status_code == status


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
    "com.atproto.repo.applyWrites",
    "com.atproto.server.createSession",
    "com.atproto.server.refreshSession",
    "com.atproto.server.deleteSession",
    "com.atproto.server.getSession",
    "com.atproto.server.getServiceAuth",
    "app.bsky.video.getUploadLimits",
    "app.bsky.video.getJobStatus",
    "app.bsky.video.getUploadStatus",
    "app.bsky.video.startUpload",
    "app.bsky.video.uploadPart",
    "app.bsky.video.finishUpload",
    "app.bsky.video.abortUpload",
    "app.bsky.feed.getPostThread",
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
