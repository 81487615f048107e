"""The imitated X is as strict as the real one: what it refuses, what it tells, and with which headers."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox
from sandbox.truth import Post
from sandbox.x.platform import XSandbox
from sandbox.x.wording import show, weight

from libs.sandbox.tests.x.caller import Caller

MB = 1_000_000


async def test_the_page_is_not_shown_for_a_malformed_request(caller: Caller) -> None:
    wrong = {
        "client_id": "nobody",
        "redirect_uri": "",
        "response_type": "token",
        "scope": "tweet.read everything",
        "state": "s" * 501,
        "code_challenge": "",
        "code_challenge_method": "S512",
    }
    told = {name: (await caller.http.get(caller.page(**{name: value}))).status_code for name, value in wrong.items()}
    assert told == dict.fromkeys(wrong, 400)


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "a" * 43}, {"redirect_uri": "http://127.0.0.1/other"}, {"grant_type": "password"}]
)
async def test_a_code_is_bound_to_what_it_was_asked_with(caller: Caller, changes: dict[str, str]) -> None:
    code = await caller.code()
    answer = await caller.exchange(code, **changes)
    assert answer.status_code == 400
    assert "access_token" not in answer.json()


async def test_a_code_works_once_and_for_thirty_seconds(caller: Caller, clock: FixedClock) -> None:
    first, late = await caller.code(), await caller.code()
    assert (await caller.exchange(first)).status_code == 200
    assert (await caller.exchange(first)).status_code == 400
    clock.advance(timedelta(seconds=30))
    answer = await caller.exchange(late)
    assert answer.json()["error_description"] == "Value passed for the authorization code was invalid."


async def test_a_confidential_application_shows_its_secret_in_the_header(caller: Caller) -> None:
    wrong = "Basic " + base64.b64encode(b"sandbox-client-id:wrong").decode()
    for authorization in ("", "Basic %%%", wrong):
        form = {"grant_type": "refresh_token", "refresh_token": caller.refresh_token, "client_id": "sandbox-client-id"}
        answer = await caller.form("/2/oauth2/token", authorization, **form)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


async def test_a_refresh_token_used_twice_ends_the_whole_family(caller: Caller) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": caller.refresh_token}
    renewed = (await caller.form("/2/oauth2/token", **form)).json()
    assert renewed["refresh_token"] != caller.refresh_token
    caller.token = renewed["access_token"]
    assert (await caller.call("GET", "users/me")).status_code == 200
    stolen = await caller.form("/2/oauth2/token", **form)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_request")
    assert (await caller.call("GET", "users/me")).status_code == 401
    again = await caller.form("/2/oauth2/token", grant_type="refresh_token", refresh_token=renewed["refresh_token"])
    assert again.status_code == 400


async def test_every_answer_tells_its_limits_and_too_many_calls_are_refused(caller: Caller, clock: FixedClock) -> None:
    answers = [await caller.call("GET", "users/me") for _ in range(76)]
    assert [answer.status_code for answer in answers] == [200] * 75 + [429]
    headers = answers[10].headers
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("75", "64")
    reset = int(headers["x-rate-limit-reset"])
    assert 0 < reset - clock.now().timestamp() <= 900
    assert answers[-1].json()["title"] == "Too Many Requests"
    clock.advance(timedelta(seconds=reset - clock.now().timestamp()))
    assert (await caller.call("GET", "users/me")).status_code == 200
    assert (await caller.post("Hi")).headers["x-user-limit-24hour-remaining"] == "9999"


POLL = {"options": ["a", "b"], "duration_minutes": 60}
REFUSED: list[tuple[int, dict[str, Any]]] = [
    (400, {"text": ""}),
    (400, {"text": "a", "tweet": "b"}),
    (400, {"text": "a", "poll": POLL | {"options": ["a"]}}),
    (400, {"text": "a", "poll": POLL | {"options": ["a", "b" * 26]}}),
    (400, {"text": "a", "poll": POLL | {"duration_minutes": 4}}),
    (400, {"text": "a", "reply_settings": "everyone"}),
    (400, {"text": "a", "media": {"media_ids": ["1"] * 5}}),
    (400, {"text": "a", "media": {"media_ids": ["1"]}}),
    (400, {"text": "a", "poll": POLL, "quote_tweet_id": "1"}),
    (403, {"text": "a" * 281}),
    (403, {"text": "花" * 141}),
    (403, {"text": "$ONE $TWO"}),
    (403, {"text": "a", "quote_tweet_id": "1"}),
    (404, {"text": "a", "reply": {"in_reply_to_tweet_id": "1"}}),
]


async def test_a_malformed_or_forbidden_post_is_refused(caller: Caller, sandbox: Sandbox) -> None:
    answers = [await caller.call("POST", "tweets", json=body) for _, body in REFUSED]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (each, each) for each, _ in REFUSED
    ]
    assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {"application/problem+json"}
    assert sandbox.truth.posts() == []


async def test_the_same_text_is_refused_for_a_day(caller: Caller, clock: FixedClock) -> None:
    assert (await caller.post("Same")).status_code == 201
    refused = await caller.post("Same ")
    assert (refused.status_code, "duplicate content" in refused.json()["detail"]) == (403, True)
    clock.advance(timedelta(hours=24))
    await caller.connect()
    assert (await caller.post("Same")).status_code == 201


async def test_replies_to_others_need_a_call(caller: Caller) -> None:
    ours, other = (await caller.post("Ours")).json()["data"]["id"], Caller(caller.http, caller.base)
    await other.connect("2244994946")
    reply = {"reply": {"in_reply_to_tweet_id": ours}}
    assert (await other.post("Unasked", **reply)).status_code == 403
    calling = (await caller.post("What do you say, @brand_two?")).json()["data"]["id"]
    assert (await other.post("Asked", reply={"in_reply_to_tweet_id": calling})).status_code == 201
    assert (await other.call("DELETE", f"tweets/{ours}")).status_code == 403
    assert (await caller.call("DELETE", f"tweets/{ours}")).json() == {"data": {"deleted": True}}
    assert (await caller.call("DELETE", f"tweets/{ours}")).json() == {"data": {"deleted": False}}


async def test_scopes_and_kinds_of_tokens_are_told_apart(caller: Caller, imitated: XSandbox) -> None:
    imitated.state.families[0].scopes = ["tweet.read", "users.read"]
    refused = await caller.post("Hi")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "oauth1-permissions")
    caller.token = (await caller.form("/oauth2/token", grant_type="client_credentials")).json()["access_token"]
    refused = await caller.post("Hi")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (403, "unsupported-authentication")


async def begin(caller: Caller, size: int, kind: str = "video/mp4", category: str = "tweet_video") -> Any:
    body = {"media_type": kind, "total_bytes": size, "media_category": category}
    return await caller.call("POST", "media/upload/initialize", json=body)


async def append(caller: Caller, media_id: str, index: int, segment: bytes) -> int:
    files, form = {"media": ("s", segment, "application/octet-stream")}, {"segment_index": str(index)}
    return (await caller.call("POST", f"media/upload/{media_id}/append", data=form, files=files)).status_code


async def test_segments_come_in_any_order_and_each_once(
    caller: Caller, sandbox: Sandbox, imitated: XSandbox, clock: FixedClock
) -> None:
    pieces = [b"a" * MB, b"b" * MB, b"c" * 10]
    media_id = (await begin(caller, 2 * MB + 10)).json()["data"]["id"]
    for index in (2, 0):
        assert await append(caller, media_id, index, pieces[index]) == 200
    assert (await caller.call("POST", f"media/upload/{media_id}/finalize")).status_code == 400
    assert await append(caller, media_id, 0, pieces[0]) == 400
    assert await append(caller, media_id, 1000, b"x") == 400
    assert await append(caller, media_id, 3, bytes(5 * MB + 1)) == 413
    body = {"media": base64.b64encode(pieces[1]).decode(), "segment_index": 1}
    assert (await caller.call("POST", f"media/upload/{media_id}/append", json=body)).status_code == 200
    imitated.state.needs_finalise_body = True
    assert (await caller.call("POST", f"media/upload/{media_id}/finalize")).status_code == 400
    told = (await caller.call("POST", f"media/upload/{media_id}/finalize", json={})).json()["data"]
    assert told["processing_info"] == {"state": "pending", "check_after_secs": 1}
    status = {"command": "STATUS", "media_id": media_id}
    states = []
    for seconds in (0.1, 1):
        clock.advance(timedelta(seconds=seconds))
        shown = (await caller.call("GET", "media/upload", params=status)).json()["data"]
        states.append(shown["processing_info"]["state"])
    assert states == ["in_progress", "succeeded"]
    assert (await caller.post("Hi", media={"media_ids": [media_id]})).status_code == 201
    (post,) = sandbox.truth.posts()
    assert post.media[0].sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()


async def test_a_small_image_goes_in_one_request_and_expires_after_a_day(caller: Caller, clock: FixedClock) -> None:
    files, form = {"media": ("i.png", b"image", "image/png")}, {"media_category": "tweet_image"}
    told = (await caller.call("POST", "media/upload", data=form, files=files)).json()["data"]
    assert "processing_info" not in told
    described = {"id": told["id"], "metadata": {"alt_text": {"text": "a" * 1001}}}
    assert (await caller.call("POST", "media/metadata", json=described)).status_code == 400
    clock.advance(timedelta(hours=24))
    await caller.connect()
    refused = await caller.post("Hi", media={"media_ids": [told["id"]]})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Your media IDs are invalid.")


async def test_a_file_must_fit_its_category(caller: Caller) -> None:
    wrong = [
        (5 * MB + 1, "image/png", "tweet_image"),
        (15 * MB + 1, "image/gif", "tweet_gif"),
        (10, "image/png", "tweet_gif"),
        (10, "video/mp4", "tweet_image"),
        (10, "image/tiff", "tweet_image"),
        (0, "image/png", "tweet_image"),
    ]
    assert [(await begin(caller, *each)).status_code for each in wrong] == [400] * len(wrong)


async def test_a_video_stands_alone_in_a_post(caller: Caller, clock: FixedClock) -> None:
    ids = []
    for kind, category in (("video/mp4", "tweet_video"), ("image/png", "tweet_image")):
        media_id = (await begin(caller, 4, kind, category)).json()["data"]["id"]
        await append(caller, media_id, 0, b"data")
        await caller.call("POST", f"media/upload/{media_id}/finalize", json={})
        ids.append(media_id)
    clock.advance(timedelta(seconds=1))
    assert (await caller.post("Hi", media={"media_ids": ids})).status_code == 400


async def test_posts_are_read_under_both_names(caller: Caller, imitated: XSandbox, clock: FixedClock) -> None:
    first = (await caller.post("One & <two> https://example.com")).json()["data"]
    assert first["edit_history_tweet_ids"] == [first["id"]]
    await caller.post("Two", reply={"in_reply_to_tweet_id": first["id"]})
    clock.advance(timedelta(minutes=30))
    asked = {"tweet.fields": "referenced_tweets,public_metrics,entities,created_at", "max_results": "5"}
    old = (await caller.call("GET", "users/2244994945/tweets", params=asked)).json()
    assert old["meta"]["result_count"] == 2
    assert old["data"][0]["referenced_tweets"] == [{"type": "replied_to", "id": first["id"]}]
    assert old["data"][1]["text"].startswith("One &amp; &lt;two&gt; https://t.co/")
    assert old["data"][1]["entities"]["urls"][0]["expanded_url"] == "https://example.com"
    imitated.state.renamed = True
    asked = {"post.fields": "referenced_posts,public_metrics", "max_results": "5"}
    new = (await caller.call("GET", "users/2244994945/tweets", params=asked)).json()
    assert new["data"][0]["referenced_posts"] == old["data"][0]["referenced_tweets"]
    assert "repost_count" in new["data"][0]["public_metrics"]
    assert (await caller.call("GET", f"tweets/{first['id']}")).json()["data"]["id"] == first["id"]


async def test_a_malformed_question_is_refused(caller: Caller) -> None:
    wrong: list[tuple[str, dict[str, str]]] = [
        ("tweets", {}),
        ("tweets", {"ids": ",".join(["1"] * 101)}),
        ("tweets", {"ids": "abc"}),
        ("tweets", {"ids": "1", "tweet.fields": "everything"}),
        ("users/2244994945/tweets", {"max_results": "4"}),
        ("users/2244994945/tweets", {"start_time": "yesterday"}),
        ("users/2244994945/tweets", {"pagination_token": "x"}),
        ("users/me", {"user.fields": "password"}),
        ("media/upload", {"command": "INIT"}),
    ]
    answers = [await caller.call("GET", path, params=query) for path, query in wrong]
    told = [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in answers]
    assert told == [(400, "invalid-request")] * len(wrong)


async def test_private_numbers_are_for_the_author_and_thirty_days(caller: Caller, clock: FixedClock) -> None:
    post_id, other = (await caller.post("One")).json()["data"]["id"], Caller(caller.http, caller.base)
    await other.connect("2244994946")
    asked = {"ids": f"{post_id},5", "tweet.fields": "public_metrics,non_public_metrics"}
    mine = (await caller.call("GET", "tweets", params=asked)).json()
    assert "non_public_metrics" in mine["data"][0]
    assert [problem["resource_id"] for problem in mine["errors"]] == ["5"]
    theirs = (await other.call("GET", "tweets", params=asked)).json()
    assert "non_public_metrics" not in theirs["data"][0]
    assert theirs["errors"][0]["type"].endswith("not-authorized-for-field")
    clock.advance(timedelta(days=31))
    await caller.connect()
    assert "non_public_metrics" not in (await caller.call("GET", "tweets", params=asked)).json()["data"][0]


def test_a_text_is_counted_and_shown_as_x_does() -> None:
    assert weight("Hi https://example.com/" + "a" * 50) == 26
    assert weight("👨‍👩‍👧‍👦 花 é") == 2 + 1 + 2 + 1 + 1
    post = Post("x", "1", "9", "A https://example.com B", (), {"quote_tweet_id": "7"}, None)  # type: ignore[arg-type]
    shown = show(post, "https://x.com/a/status/9")
    assert [url["expanded_url"] for url in shown.urls] == ["https://example.com", "https://x.com/i/status/7"]
    assert all(shown.text[url["start"] : url["end"]] == url["url"] for url in shown.urls)
