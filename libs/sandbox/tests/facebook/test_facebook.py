"""The imitated Facebook refuses what the real one refuses, in its words, and does late what that does late."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from kit.clock import FixedClock
from sandbox.consent import give_consent
from sandbox.facebook.platform import FacebookSandbox
from sandbox.meta.tokens import PASSWORD_CHANGED
from sandbox.server import Sandbox

from libs.sandbox.tests.facebook.caller import APP, OTHER_PAGE, PAGE, PERSON, REDIRECT_URI, Caller

JPEG = b"\xff\xd8\xff" + b"door" * 200


async def photo(page: Caller, **parameters: str) -> str:
    made = await page.upload(f"{PAGE}/photos", "source", JPEG, "image/jpeg", published="false", **parameters)
    return str(made["id"])


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "nobody"}, {"redirect_uri": ""}, {"scope": ""}, {"scope": "all_of_it"}, {"response_type": "token"}],
)
async def test_a_dialog_for_something_wrong_is_not_shown(
    sandbox: Sandbox, http: httpx.AsyncClient, changed: dict[str, str]
) -> None:
    caller = Caller(http, sandbox.base_urls["facebook"])
    assert (await http.get(caller.dialog(**changed))).status_code == 400


async def test_a_registered_redirect_address_is_the_only_one(
    sandbox: Sandbox, imitated: FacebookSandbox, http: httpx.AsyncClient
) -> None:
    imitated.register_client({"client_id": "strict", "redirect_uris": ["https://example.com/back"]})
    caller = Caller(http, sandbox.base_urls["facebook"])
    assert (await http.get(caller.dialog(client_id="strict"))).status_code == 400
    location = await give_consent(http, caller.dialog(client_id="strict", redirect_uri="https://example.com/back"))
    assert location.endswith("#_=_")


async def test_a_code_works_once_and_only_with_the_secret(person: Caller) -> None:
    location = await give_consent(person.http, person.dialog())
    code = httpx.URL(location).params["code"]
    await person.trade(code=code, redirect_uri=REDIRECT_URI, client_secret="wrong")
    assert person.code == 1
    await person.trade(code=code, redirect_uri=REDIRECT_URI)
    assert person.error == {}
    await person.trade(code=code, redirect_uri=REDIRECT_URI)
    assert (person.code, person.subcode) == (100, 36009)


async def test_declined_permissions_are_told_and_their_edges_closed(person: Caller) -> None:
    await person.log_in("pages_show_list,read_insights,email", scopes=["pages_show_list"])
    told = await person.get("me/permissions")
    states = {each["permission"]: each["status"] for each in told["data"]}
    assert (states["email"], states["pages_show_list"]) == ("declined", "granted")
    assert states["read_insights"] == "granted"
    await person.get("me/businesses")
    assert person.code == 200


async def test_a_token_needs_its_proof(page: Caller, imitated: FacebookSandbox) -> None:
    bearer = {"headers": {"Authorization": f"Bearer {page.token}"}}
    assert (await page.get(PAGE, fields="name"))["name"] == "Brand One"
    await page.send("GET", PAGE, **bearer)
    assert page.code == 100
    await page.get(PAGE, appsecret_proof="0" * 64)
    assert page.code == 100
    imitated.state.clients["sandbox-client-id"].proof_required = False
    await page.send("GET", PAGE, **bearer)
    assert page.error == {}


async def test_tokens_die_for_reasons_that_have_numbers(
    person: Caller, page: Caller, imitated: FacebookSandbox, clock: FixedClock
) -> None:
    await Caller(page.http, page.base).get("me")
    clock.advance(timedelta(days=61))
    await person.get("me")
    assert (person.code, person.subcode) == (190, 463)
    await page.get(PAGE)
    assert page.error == {}
    imitated.withdraw(PERSON, subcode=PASSWORD_CHANGED)
    await page.get(PAGE)
    assert (page.code, page.subcode) == (190, 460)
    await Caller(page.http, page.base, "EAABnothing").get("me")
    stranger = Caller(page.http, page.base)
    await stranger.get("me")
    assert stranger.code == 104


async def test_the_applications_own_token_ends_a_grant_once(person: Caller, page: Caller, sandbox: Sandbox) -> None:
    app = Caller(person.http, person.base, APP)
    debug = await app.get("debug_token", input_token=page.token)
    assert (debug["data"]["type"], debug["data"]["expires_at"], debug["data"]["user_id"]) == ("PAGE", 0, PERSON)
    assert await app.send("DELETE", f"{PERSON}/permissions", params={"access_token": APP}) == {"success": True}
    await app.send("DELETE", f"{PERSON}/permissions", params={"access_token": APP})
    assert app.code == 100
    await page.get(PAGE)
    assert (page.code, page.subcode) == (190, 458)
    assert len(sandbox.truth.revocations("facebook")) == 1


async def test_who_may_write_to_a_page(person: Caller, page: Caller, imitated: FacebookSandbox) -> None:
    await person.post(f"{PAGE}/feed", message="Hi")
    assert person.code == 210
    await page.post(f"{OTHER_PAGE}/feed", message="Hi")
    assert (page.code, page.subcode) == (100, 33)
    imitated.state.pages[PAGE].tasks = ["ANALYZE"]
    await page.post(f"{PAGE}/feed", message="Hi")
    assert page.code == 200


async def test_what_a_feed_refuses(page: Caller, sandbox: Sandbox) -> None:
    for wrong in (
        {},
        {"message": "x" * 63_207},
        {"link": "no address"},
        {"attached_media": '["1"]'},
        {"attached_media[0]": '{"media_fbid":"404"}'},
    ):
        await page.post(f"{PAGE}/feed", **wrong)
        assert page.code == 100, wrong
    await page.post(f"{PAGE}/feed", message="Fresh paint")
    await page.post(f"{PAGE}/feed", message="Fresh paint")
    assert page.code == 506
    await page.post(f"{PAGE}/feed", message="Something else")
    await page.post(f"{PAGE}/feed", message="Fresh paint")
    assert page.error == {}
    assert [post.text for post in sandbox.truth.posts()] == ["Fresh paint", "Something else", "Fresh paint"]


async def test_an_image_is_unseen_until_it_is_attached_and_only_once(
    page: Caller, sandbox: Sandbox, clock: FixedClock
) -> None:
    one, two = await photo(page, alt_text_custom="A door"), await photo(page)
    assert sandbox.truth.posts() == []
    attached = f'[{{"media_fbid":"{one}"}}]'
    await page.post(f"{PAGE}/feed", message="Hi", attached_media=attached)
    assert [item.alt_text for item in sandbox.truth.posts()[0].media] == ["A door"]
    await page.post(f"{PAGE}/feed", message="Hi", attached_media=attached)
    assert (page.code, page.subcode) == (100, 1366051)
    clock.advance(timedelta(hours=25))
    await page.post(f"{PAGE}/photo_stories", photo_id=two)
    assert page.code == 100


async def test_an_image_that_is_none_is_refused(page: Caller) -> None:
    await page.upload(f"{PAGE}/photos", "source", b"%PDF", "application/pdf", published="false")
    assert page.code == 324
    await page.upload(f"{PAGE}/photos", "source", b"x" * 10_000_001, "image/jpeg", published="false")
    assert page.code == 324
    await page.post(f"{PAGE}/photos", url="http://127.0.0.1:1/none.jpg", published="false")
    assert page.code == 324


async def test_chunks_come_in_the_asked_order_and_offsets_are_text(page: Caller, sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 6000
    started = await page.post(f"{PAGE}/videos", upload_phase="start", file_size=str(len(data)))
    assert (started["start_offset"], started["end_offset"]) == ("0", "1048576")
    session = {"upload_phase": "transfer", "upload_session_id": started["upload_session_id"]}
    for start, size, subcode in (("1048576", 10, 1363037), ("0", 10, 1363045)):
        told = await page.upload(
            f"{PAGE}/videos", "video_file_chunk", data[:size], "video/mp4", start_offset=start, **session
        )
        assert (page.code, page.subcode) == (6001, subcode)
        assert told["error"]["error_data"] == {"start_offset": "0", "end_offset": "1048576"}
    finish = session | {"upload_phase": "finish"}
    await page.post(f"{PAGE}/videos", **finish)
    assert page.code == 6000
    for first, end in ((0, 1_048_576), (1_048_576, len(data))):
        told = await page.upload(
            f"{PAGE}/videos", "video_file_chunk", data[first:end], "video/mp4", start_offset=str(first), **session
        )
    assert told["start_offset"] == told["end_offset"] == str(len(data))
    await page.post(f"{PAGE}/videos", **finish)
    assert page.error == {}
    await page.post(f"{PAGE}/videos", **finish)
    assert page.code == 100
    assert sandbox.truth.posts() == []


async def test_a_reels_success_can_be_followed_by_an_error(
    page: Caller, imitated: FacebookSandbox, clock: FixedClock
) -> None:
    imitated.plan_outcome({"processing_error": {"code": 1363026, "message": "No"}})
    video_id = await reel(page)
    before = await page.get(video_id, fields="status,post_id,published")
    assert (before["status"]["video_status"], before["published"]) == ("upload_complete", False)
    assert await page.post(
        f"{PAGE}/video_reels", upload_phase="finish", video_id=video_id, video_state="PUBLISHED"
    ) == {"success": True}
    during = await page.get(video_id, fields="status")
    assert during["status"]["processing_phase"]["status"] == "in_progress"
    clock.advance(timedelta(seconds=1))
    after = await page.get(video_id, fields="status")
    assert after["status"]["video_status"] == "error"
    assert after["status"]["processing_phase"]["errors"][0]["code"] == 1363026


async def test_the_upload_host_keeps_what_came_and_has_errors_of_its_own(page: Caller, sandbox: Sandbox) -> None:
    started = await page.post(f"{PAGE}/video_reels", upload_phase="start")
    url, video = started["upload_url"], started["video_id"]

    async def send(offset: int, data: bytes, size: int = 10, token: str = page.token) -> dict[str, object]:
        headers = {"Authorization": f"OAuth {token}", "offset": str(offset), "file_size": str(size)}
        told = (await page.http.post(url, content=data, headers=headers)).json()
        return dict(told.get("debug_info") or told)

    assert (await send(0, b"0123"))["type"] == "PartialRequestError"
    assert (await send(0, b"0123456789"))["type"] == "OffsetInvalidError"
    assert (await page.get(video, fields="status"))["status"]["uploading_phase"]["bytes_transfered"] == 4
    assert (await send(4, b"456789", token="EAABwrong")).get("error")
    assert (await send(4, b"456789"))["success"] is True
    assert (await send(10, b"", size=0))["type"] == "ProcessingFailedError"


async def test_thirty_reels_a_day(page: Caller, imitated: FacebookSandbox, clock: FixedClock) -> None:
    for _ in range(30):
        made = imitated.state.videos[await reel(page)]
        made.finished_at = clock.now()
    video_id = await reel(page)
    finish = {"upload_phase": "finish", "video_id": video_id, "video_state": "PUBLISHED"}
    await page.post(f"{PAGE}/video_reels", **finish)
    assert page.code == 613
    clock.advance(timedelta(days=1, seconds=1))
    await page.post(f"{PAGE}/video_reels", **finish)
    assert page.error == {}


async def test_one_metric_that_is_none_fails_the_whole_call(page: Caller) -> None:
    made = await page.post(f"{PAGE}/feed", message="Hi")
    await page.get(f"{made['id']}/insights", metric="post_media_view,post_impressions")
    assert page.code == 100
    told = await page.get(f"{made['id']}/insights", metric="post_media_view,post_clicks_by_type")
    assert [(each["name"], each["values"]) for each in told["data"]] == [
        ("post_media_view", [{"value": 0}]),
        ("post_clicks_by_type", [{"value": {}}]),
    ]


async def test_a_removed_post_is_gone_everywhere(page: Caller, sandbox: Sandbox) -> None:
    made = await page.post(f"{PAGE}/feed", message="Hi")
    await page.send("DELETE", str(made["id"]), params=page._signed({}))
    assert page.error == {}
    for path in (made["id"], f"{made['id']}/insights", f"{made['id']}/comments"):
        await page.get(path, metric="post_clicks")
        assert (page.code, page.subcode) == (100, 33)
    assert (await page.get(f"{PAGE}/published_posts"))["data"] == []


async def test_another_process_sees_the_truth_and_adds_pages(page: Caller, http: httpx.AsyncClient) -> None:
    await page.post(f"{PAGE}/feed", message="Hi")
    posts = (await http.get(f"{page.base}/_sandbox/posts", params={"account": PAGE})).json()
    assert [post["text"] for post in posts] == ["Hi"]
    added = (await http.post(f"{page.base}/_sandbox/accounts", json={"name": "Brand Five"})).json()
    assert (added["username"], added["user_id"]) == ("brand.five", PERSON)
    await http.post(f"{page.base}/_sandbox/expire-tokens")
    await page.get(PAGE)
    assert page.error == {}


async def reel(page: Caller) -> str:
    """An uploaded reel that is not published."""
    started = await page.post(f"{PAGE}/video_reels", upload_phase="start")
    headers = {"Authorization": f"OAuth {page.token}", "offset": "0", "file_size": "4"}
    await page.http.post(started["upload_url"], content=b"reel", headers=headers)
    return str(started["video_id"])
