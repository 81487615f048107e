"""The imitated YouTube keeps to the wire, so that a client that does not fails here first."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.server import Sandbox
from sandbox.youtube.platform import YouTubeSandbox
from sandbox.youtube.state import ANALYTICS, CHUNK_STEP, SSL, UPLOAD

from libs.sandbox.tests.youtube.caller import REDIRECT, VERIFIER, Caller, reason_of


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "other"}, "invalid_client"),
        ({"scope": "youtube"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/"}, "redirect_uri_mismatch"),
    ],
)
async def test_a_page_that_is_asked_for_wrongly_is_not_shown(
    caller: Caller, server: YouTubeSandbox, changed: dict[str, str], error: str
) -> None:
    server.state.clients["sandbox-client-id"].redirect_uris = [REDIRECT]
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await caller.code(**changed)
    assert error in caught.value.response.text


async def test_a_code_needs_its_verifier_its_address_and_works_once(caller: Caller) -> None:
    for changed, error in (
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ):
        status, answer = await caller.redeem((await caller.code())["code"], **changed)
        assert (status, answer["error"]) == (401 if error == "invalid_client" else 400, error)
    code = (await caller.code())["code"]
    assert (await caller.redeem(code))[0] == 200
    assert (await caller.redeem(code))[1]["error"] == "invalid_grant"


async def test_a_refresh_token_comes_with_consent_only_and_never_rotates(caller: Caller) -> None:
    _, first = await caller.redeem((await caller.code())["code"])
    _, silent = await caller.redeem((await caller.code(prompt="none"))["code"])
    _, online = await caller.redeem((await caller.code(access_type="online"))["code"])
    assert "refresh_token" in first
    assert "refresh_token" not in silent
    assert "refresh_token" not in online
    for _ in range(2):
        status, renewed = await caller.tokens(grant_type="refresh_token", refresh_token=first["refresh_token"])
        assert status == 200
        assert set(renewed) == {"access_token", "expires_in", "scope", "token_type"}


async def test_credentials_may_come_as_basic_authorisation(caller: Caller) -> None:
    code = (await caller.code())["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    basic = base64.b64encode(b"sandbox-client-id:sandbox-client-secret").decode()
    answer = await caller.http.post(f"{caller.base}/token", data=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.status_code == 200


async def test_the_oldest_of_too_many_grants_dies_silently(caller: Caller, server: YouTubeSandbox) -> None:
    _, first = await caller.redeem((await caller.code())["code"])
    for _ in range(100):
        await caller.redeem((await caller.code())["code"])
    living = [grant for grant in server.state.grants if not grant.revoked]
    assert len(living) == 100
    assert (await caller.tokens(grant_type="refresh_token", refresh_token=first["refresh_token"]))[0] == 400


async def test_granted_scopes_add_up_where_that_is_asked_for(caller: Caller) -> None:
    alone = await caller.code(scope=UPLOAD)
    together = await caller.code(scope=UPLOAD, include_granted_scopes="true")
    assert set(alone["scope"].split()) == {UPLOAD}
    assert set(together["scope"].split()) == {UPLOAD, SSL, ANALYTICS}


async def test_either_token_ends_the_grant_and_a_dead_one_is_refused(caller: Caller, sandbox: Sandbox) -> None:
    answer = await caller.http.post(f"{caller.base}/revoke", params={"token": caller.token})
    assert (answer.status_code, answer.json()) == (200, {})
    again = await caller.http.post(f"{caller.base}/revoke", data={"token": caller.token})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")
    assert await caller.reason("GET", "/youtube/v3/channels?part=id&mine=true") == (401, "authError")
    assert len(sandbox.truth.revocations("youtube")) == 1


async def test_a_token_tells_what_it_is_worth(caller: Caller, clock: FixedClock) -> None:
    url = f"{caller.base}/tokeninfo"
    told = (await caller.http.get(url, params={"access_token": caller.token})).json()
    assert (set(told["scope"].split()), told["expires_in"]) == ({SSL, ANALYTICS}, "3599")
    assert await caller.reason("GET", "/oauth2/v2/userinfo") == (403, "insufficientPermissions")
    clock.advance(timedelta(hours=1))
    assert (await caller.http.get(url, params={"access_token": caller.token})).status_code == 400


async def test_a_scope_that_was_not_granted_is_named_in_the_details(caller: Caller) -> None:
    _, tokens = await caller.redeem((await caller.code(scope=UPLOAD))["code"])
    caller.token = tokens["access_token"]
    answer = await caller.call("PUT", "/youtube/v3/videos?part=status", {"id": "x"})
    assert reason_of(answer) == (403, "insufficientPermissions")
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert (await caller.start(10)).status_code == 200


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"snippet": {"title": ""}}, "invalidTitle"),
        ({"snippet": {"title": "x" * 101}}, "invalidTitle"),
        ({"snippet": {"title": "a<b"}}, "invalidTitle"),
        ({"snippet": {"title": "T", "description": "é" * 2501}}, "invalidDescription"),
        ({"snippet": {"title": "T", "tags": ["x" * 501]}}, "invalidTags"),
        ({"snippet": {"title": "T", "categoryId": "999"}}, "invalidCategoryId"),
        ({"status": {"privacyStatus": "public", "publishAt": "2026-12-01T10:00:00Z"}}, "invalidPublishAt"),
        ({"status": {"privacyStatus": "friends"}}, "badRequest"),
        ({"status": {"license": "mine"}}, "badRequest"),
        ({"status": []}, "badRequest"),
    ],
)
async def test_what_is_said_of_a_video_is_checked_before_its_bytes(
    caller: Caller, server: YouTubeSandbox, resource: dict[str, Any], reason: str
) -> None:
    assert reason_of(await caller.start(10, **resource)) == (400, reason)
    assert server.state.sessions == {}


async def test_a_session_holds_chunks_of_whole_steps_and_says_how_far_it_is(
    caller: Caller, server: YouTubeSandbox
) -> None:
    size = 2 * CHUNK_STEP + 5
    film = hashlib.sha256(b"x").digest() * (size // 32 + 1)
    address = (await caller.start(size)).headers["location"]
    assert address.startswith(caller.base)
    asked = await caller.put(address, b"", f"bytes */{size}")
    assert (asked.status_code, "range" in asked.headers) == (308, False)
    for wrong in (
        f"bytes 0-{CHUNK_STEP - 2}/{size}",
        f"bytes 0-{CHUNK_STEP - 1}/{size + 1}",
        f"bytes 5-1/{size}",
        "bytes all",
    ):
        assert (await caller.put(address, film[:CHUNK_STEP], wrong)).status_code == 400
    first = await caller.put(address, film[:CHUNK_STEP], f"bytes 0-{CHUNK_STEP - 1}/{size}")
    assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{CHUNK_STEP - 1}")
    repeated = await caller.put(address, film[:CHUNK_STEP], f"bytes 0-{CHUNK_STEP - 1}/{size}")
    assert repeated.headers["range"] == first.headers["range"]
    rest = await caller.put(address, film[CHUNK_STEP:size], f"bytes {CHUNK_STEP}-{size - 1}/{size}")
    assert (rest.status_code, rest.json()["status"]["uploadStatus"]) == (200, "uploaded")
    assert server.state.videos[rest.json()["id"]].sha256 == hashlib.sha256(film[:size]).hexdigest()
    assert (await caller.put(address, b"", f"bytes */{size}")).json()["id"] == rest.json()["id"]


async def test_a_session_ends_after_a_week_and_an_unknown_one_is_none(caller: Caller, clock: FixedClock) -> None:
    address = (await caller.start(10)).headers["location"]
    assert (await caller.put(f"{address}x", b"", "bytes */10")).status_code == 404
    clock.advance(timedelta(days=8))
    assert (await caller.put(address, b"", "bytes */10")).status_code == 410


async def test_a_video_that_is_public_from_the_start_is_seen_when_it_is_processed(
    caller: Caller, sandbox: Sandbox, clock: FixedClock
) -> None:
    sandbox.tuning.processing_seconds = 60
    video_id = await caller.upload(status={"privacyStatus": "public"})
    assert sandbox.truth.posts() == []
    clock.advance(timedelta(seconds=61))
    assert [post.post_id for post in sandbox.truth.posts()] == [video_id]
    assert (await caller.http.get(f"{caller.base}/watch", params={"v": video_id})).status_code == 200
    assert (await caller.http.get(f"{caller.base}/shorts/nothing")).status_code == 404


async def test_an_update_replaces_the_whole_part(caller: Caller, server: YouTubeSandbox, sandbox: Sandbox) -> None:
    sandbox.tuning.processing_seconds = 0
    video_id = await caller.upload(status={"privacyStatus": "private", "embeddable": False})
    path = "/youtube/v3/videos?part=status"
    for body, reason in (
        (
            {"id": video_id, "status": {"privacyStatus": "public", "publishAt": "2026-12-01T10:00:00Z"}},
            (400, "invalidPublishAt"),
        ),
        ({"id": "nothing", "status": {}}, (404, "videoNotFound")),
    ):
        assert await caller.reason("PUT", path, body) == reason
    assert await caller.reason(
        "PUT", "/youtube/v3/videos?part=snippet", {"id": video_id, "snippet": {"title": "T"}}
    ) == (
        400,
        "invalidCategoryId",
    )
    shown = (await caller.call("PUT", path, {"id": video_id, "status": {}})).json()
    assert (shown["status"]["privacyStatus"], shown["status"]["embeddable"]) == ("public", True)
    await caller.call("PUT", path, {"id": video_id, "status": {"privacyStatus": "public"}})
    assert [post.writes for post in sandbox.truth.posts()] == [2]
    await caller.call("PUT", path, {"id": video_id, "status": {"privacyStatus": "private"}})
    assert sandbox.truth.posts() == []


async def test_a_deleted_video_is_gone_everywhere(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.tuning.processing_seconds = 0
    video_id = await caller.upload(status={"privacyStatus": "public"})
    path = f"/youtube/v3/videos?id={video_id}"
    assert (await caller.call("DELETE", path)).status_code == 204
    assert await caller.reason("DELETE", path) == (404, "videoNotFound")
    assert (await caller.call("GET", f"{path}&part=id")).json()["items"] == []
    assert sandbox.truth.posts() == []


async def test_another_channel_sees_what_is_public_and_changes_nothing(
    caller: Caller, server: YouTubeSandbox, sandbox: Sandbox
) -> None:
    private = await caller.upload()
    public = await caller.upload(status={"privacyStatus": "public"})
    for grant in server.state.grants:
        grant.channel_id = list(server.state.channels)[1]
    query = f"id={private},{public}"
    assert [
        item["id"] for item in (await caller.call("GET", f"/youtube/v3/videos?part=id&{query}")).json()["items"]
    ] == [public]
    assert await caller.reason("GET", f"/youtube/v3/videos?part=fileDetails&{query}") == (403, "forbidden")
    assert await caller.reason("PUT", "/youtube/v3/videos?part=status", {"id": public}) == (403, "forbidden")
    stats = (await caller.call("GET", f"/youtube/v3/videos:batchGetStats?part=statistics&{query}")).json()
    assert [(item["kind"], item["id"]) for item in stats["items"]] == [("youtube#videoStats", public)]


async def test_a_projects_day_ends_at_midnight_of_the_pacific_zone(
    caller: Caller, server: YouTubeSandbox, clock: FixedClock
) -> None:
    for _ in range(200):
        assert await caller.reason("DELETE", "/youtube/v3/videos?id=nothing") == (404, "videoNotFound")
    assert await caller.reason("GET", "/youtube/v3/channels?part=id&mine=true") == (403, "quotaExceeded")
    assert (await caller.start(10)).status_code == 200, "uploads have a bucket of their own"
    clock.advance(timedelta(hours=22))
    _, tokens = await caller.redeem((await caller.code())["code"])
    caller.token = tokens["access_token"]
    assert (await caller.call("GET", "/youtube/v3/channels?part=id&mine=true")).status_code == 200


async def test_parameters_that_are_wrong_are_refused(caller: Caller) -> None:
    many = ",".join(f"video{number:06}" for number in range(51))
    for path, reason in (
        ("videos?id=x", "missingRequiredParameter"),
        ("videos?part=everything&id=x", "unknownPart"),
        ("videos?part=id", "missingRequiredParameter"),
        (f"videos?part=id&id={many}", "invalidParameter"),
        ("playlistItems?part=id&playlistId=PL-brand_one&maxResults=51", "invalidParameter"),
    ):
        assert await caller.reason("GET", f"/youtube/v3/{path}") == (400, reason)
    assert await caller.reason("GET", "/youtube/v3/playlistItems?part=id&playlistId=none") == (404, "playlistNotFound")


async def test_uploads_are_listed_newest_first_with_a_lag_and_page_by_page(
    caller: Caller, server: YouTubeSandbox, clock: FixedClock
) -> None:
    ids = []
    for _ in range(3):
        ids.append(await caller.upload())
        clock.advance(timedelta(seconds=10))
    channel = next(iter(server.state.channels.values()))
    path = f"/youtube/v3/playlistItems?part=contentDetails,status&playlistId={channel.uploads_playlist}&maxResults=2"
    page = (await caller.call("GET", path)).json()
    following = (await caller.call("GET", f"{path}&pageToken={page['nextPageToken']}")).json()
    listed = [item["contentDetails"]["videoId"] for item in [*page["items"], *following["items"]]]
    assert listed == ids[::-1]
    assert "nextPageToken" not in following
    server.state.uploads_lag_seconds = 15
    assert len((await caller.call("GET", f"{path}0")).json()["items"]) == 2


async def test_comments_are_refused_where_a_video_takes_none(caller: Caller, server: YouTubeSandbox) -> None:
    private = await caller.upload()
    children = await caller.upload(status={"privacyStatus": "public", "selfDeclaredMadeForKids": True})
    public = await caller.upload(status={"privacyStatus": "public"})

    def comment(video_id: str, text: str) -> dict[str, Any]:
        return {"snippet": {"videoId": video_id, "topLevelComment": {"snippet": {"textOriginal": text}}}}

    for body, reason in (
        (comment(private, "Hi"), (403, "forbidden")),
        (comment(children, "Hi"), (403, "commentsDisabled")),
        (comment("nothing", "Hi"), (404, "videoNotFound")),
        (comment(public, " "), (400, "commentTextRequired")),
        (comment(public, "x" * 10_001), (400, "commentTextTooLong")),
    ):
        assert await caller.reason("POST", "/youtube/v3/commentThreads?part=snippet", body) == reason
    assert server.state.comments == []


async def test_a_thumbnail_is_refused_for_the_reasons_youtube_has(caller: Caller, server: YouTubeSandbox) -> None:
    video_id = await caller.upload()
    url = f"{caller.base}/upload/youtube/v3/thumbnails/set?uploadType=media&videoId="
    channel = next(iter(server.state.channels.values()))

    async def sent(content: bytes, content_type: str = "image/png", of: str = video_id) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": content_type}
        return reason_of(await caller.http.post(url + of, content=content, headers=headers))

    assert await sent(b"") == (400, "mediaBodyRequired")
    assert await sent(b"x", "image/gif") == (400, "imageFormatUnsupported")
    assert await sent(bytes(2 * 1024 * 1024 + 1)) == (400, "invalidImage")
    assert await sent(b"x", of="nothing") == (404, "videoNotFound")
    channel.phone_verified = False
    assert await sent(b"x") == (403, "forbidden")
    assert server.state.videos[video_id].thumbnail is None


async def test_analytics_refuses_what_it_does_not_support(caller: Caller) -> None:
    query = "/v2/reports?ids=channel==MINE&startDate=2026-11-01&endDate=2026-11-22"
    for path, reason in (
        (f"{query}&metrics=views&dimensions=video", (400, "badRequest")),
        (f"{query}&metrics=views&dimensions=video&sort=-views&maxResults=201", (400, "badRequest")),
        (f"{query}&metrics=impressions", (400, "badRequest")),
        (f"{query}&metrics=views&filters=country==CH", (400, "badRequest")),
        ("/v2/reports?ids=channel==MINE&startDate=soon&endDate=2026-11-22&metrics=views", (400, "badRequest")),
        ("/v2/reports?ids=channel==UCother&metrics=views", (403, "forbidden")),
    ):
        assert await caller.reason("GET", path) == reason
    assert "rows" not in (await caller.call("GET", f"{query}&metrics=views")).json()


async def test_a_subscription_needs_a_feed_and_a_callback_that_confirms(caller: Caller, server: YouTubeSandbox) -> None:
    form = {"hub.mode": "subscribe", "hub.callback": f"{caller.base}/nowhere", "hub.topic": "https://example.com/"}
    assert (await caller.http.post(f"{caller.base}/subscribe", data=form)).status_code == 400
    form["hub.topic"] = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCx"
    assert (await caller.http.post(f"{caller.base}/subscribe", data=form)).status_code == 202
    assert server.state.hub.subscriptions == {}


async def test_accounts_applications_and_outcomes_can_be_set_from_outside(caller: Caller) -> None:
    control = f"{caller.base}/_sandbox"
    added = await caller.http.post(f"{control}/accounts", json={"handle": "third", "title": "Third"})
    assert added.json()["channel_id"].startswith("UC")
    client = await caller.http.post(f"{control}/clients", json={"client_id": "mine", "client_secret": "s"})
    assert client.json()["audited"] is True
    await caller.http.post(f"{control}/next-outcome", json={"rejection_reason": "claim"})
    video_id = await caller.upload(status={"privacyStatus": "public"})
    assert (await caller.http.get(f"{control}/posts")).json() == []
    assert (await caller.call("GET", f"/youtube/v3/videos?part=status&id={video_id}")).status_code == 200
    await caller.http.post(f"{control}/expire-tokens")
    assert await caller.reason("GET", "/youtube/v3/channels?part=id&mine=true") == (401, "authError")
