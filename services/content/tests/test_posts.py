"""Writing, reading and deleting posts; everything that is refused, and that a refusal changes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from contracts.access import Permission
from contracts.content import PostDeletedV1
from contracts.publisher import (
    PublicationCancelledV1,
    PublicationFailedV1,
    PublicationNeedsAttentionV1,
    PublicationPublishedV1,
)
from kit.clock import SystemClock
from kit.ids import new_id
from kit.passport import KeyLimits
from kit.problems import Unavailable
from kit.testing import wait_for
from kit.testing.services import Bus
from litestar import Litestar


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:signoff:problem:")


def rows(environment: dict[str, str], table: str) -> int:
    with psycopg.connect(environment["DATABASE_SUPERUSER_URL_CONTENT"]) as connection:
        row = connection.execute(
            psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.promise("P30")
async def test_a_post_is_written_and_read_back(team, image):
    media_id = (await team.upload(image())).json()["media_id"]
    variant = team.variant(
        "Grüße 🌷\nzwei", settings={"langs": ["de"]}, media=[{"media_id": media_id, "alt_text": "Tulpen"}]
    )
    saved = await team.write(variant, title="Frühling")
    assert saved == {
        "post_id": saved["post_id"],
        "revision_id": saved["revision_id"],
        "number": 1,
        "content_hash": saved["content_hash"],
        "state": "draft",
        "violations": [],
    }
    post = await team.post(saved)
    (revision,) = post["revisions"]
    assert (post["title"], post["state"], post["created_by"]) == ("Frühling", "draft", str(team.account_id))
    assert (revision["content_hash"], revision["seal"]) == (saved["content_hash"], None)
    (shown,) = revision["variants"]
    assert {name: shown[name] for name in ("text", "settings", "platform", "connection_id")} == {
        "text": "Grüße 🌷\nzwei",
        "settings": {"langs": ["de"]},
        "platform": "bluesky",
        "connection_id": str(team.bluesky),
    }
    assert (shown["media"][0]["media_id"], shown["media"][0]["alt_text"]) == (media_id, "Tulpen")


@pytest.mark.promise("P32")
async def test_every_save_is_a_revision_and_none_is_changed_by_the_next(team):
    saved = await team.write(team.variant("First"), title="One")
    body = {"title": "Two", "variants": [team.variant("Second")]}
    edited = (await team.call("PUT", f"/posts/{saved['post_id']}", role="editor", json=body)).json()
    assert (edited["number"], edited["post_id"]) == (2, saved["post_id"])
    post = await team.post(saved)
    assert (post["title"], post["number"], post["revision_id"]) == ("Two", 2, edited["revision_id"])
    assert [(item["number"], item["variants"][0]["text"], item["content_hash"]) for item in post["revisions"]] == [
        (2, "Second", edited["content_hash"]),
        (1, "First", saved["content_hash"]),
    ]


async def test_posts_are_listed_newest_first_and_in_pages(team, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("content.use_cases.read_posts.POSTS_MAX", 2)
    ids = [(await team.write(title=f"Post {number}"))["post_id"] for number in range(3)]
    first = (await team.call("GET", "/posts", role="viewer")).json()["posts"]
    assert [post["post_id"] for post in first] == [ids[2], ids[1]]
    second = (await team.call("GET", "/posts", params={"before": ids[1]})).json()["posts"]
    assert [(post["post_id"], post["title"], post["state"]) for post in second] == [(ids[0], "Post 0", "draft")]


@pytest.mark.promise("P06")
async def test_a_key_bound_to_connections_touches_no_post_that_was_meant_for_others(team):
    other = await team.write(team.variant("For all"))
    key = KeyLimits(new_id(), frozenset(Permission), frozenset({team.tiktok}))
    headers = team.passport(workspace_id=team.workspace_id, key=key)
    path = f"/posts/{other['post_id']}"
    assert (await team.call("GET", "/posts", headers=headers)).json() == {"posts": []}
    body = {"title": "Mine", "variants": []}
    revision = {"revision_id": other["revision_id"]}
    for method, below, sent in (
        ("GET", "", None),
        ("PUT", "", body),
        ("DELETE", "", None),
        ("POST", "/submission", revision),
    ):
        assert problem(await team.call(method, path + below, json=sent, headers=headers)) == (404, "not-found")
    assert problem(await team.call("POST", path + "/approval", json=revision, headers=headers)) == (
        403,
        "session-needed",
    )
    assert (await team.post(other))["number"] == 1
    refused = await team.call("POST", "/posts", json=body | {"variants": [team.variant()]}, headers=headers)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/variants/0/connection_id"]
    made = await team.call("POST", "/posts", json=body, headers=headers)
    assert made.status_code == 201, made.text
    listed = (await team.call("GET", "/posts", headers=headers)).json()["posts"]
    assert [post["post_id"] for post in listed] == [made.json()["post_id"]]
    # A person gives it to another connection: from then on it is not there for the key.
    edited = await team.call("PUT", f"/posts/{listed[0]['post_id']}", json=body | {"variants": [team.variant()]})
    assert edited.status_code == 200, edited.text
    assert (await team.call("GET", f"/posts/{listed[0]['post_id']}", headers=headers)).status_code == 404


async def test_a_deleted_post_is_gone_with_all_that_hangs_on_it(team, bus: Bus, environment, image):
    media_id = (await team.upload(image())).json()["media_id"]
    saved = await team.approved(team.variant(media=[{"media_id": media_id, "alt_text": "x"}]))
    assert (await team.call("DELETE", f"/posts/{saved['post_id']}")).status_code == 204
    assert problem(await team.call("GET", f"/posts/{saved['post_id']}")) == (404, "not-found")
    assert problem(await team.sealed(saved)) == (404, "not-found")
    tables = ("post", "revision", "variant", "variant_media", "seal", "decision", "publication")
    assert [rows(environment, table) for table in tables] == [0] * len(tables)
    assert await bus.wait_told(PostDeletedV1) == [
        PostDeletedV1(workspace_id=team.workspace_id, post_id=UUID(saved["post_id"]))
    ]
    assert problem(await team.call("DELETE", f"/posts/{saved['post_id']}")) == (404, "not-found")


def changed(**change: Any) -> Any:
    """A body with one variant in which something is not as it should be."""
    return lambda variant: {"title": "Spring", "variants": [variant | change]}


TOO_LONG = "x" * 10_001


@pytest.mark.parametrize(
    ("make", "pointer"),
    [
        (lambda variant: {"title": "Spring", "variants": [variant], "extra": 1}, "/extra"),
        (lambda variant: {"variants": [variant]}, ""),
        (lambda variant: {"title": "", "variants": [variant]}, "/title"),
        (lambda variant: {"title": "x" * 201, "variants": [variant]}, "/title"),
        (lambda variant: {"title": "a\0b", "variants": [variant]}, "/title"),
        (lambda variant: {"title": 7, "variants": [variant]}, "/title"),
        (lambda variant: {"title": "Spring", "variants": variant}, "/variants"),
        (lambda variant: {"title": "Spring", "variants": [variant] * 21}, "/variants"),
        (lambda variant: {"title": "Spring", "variants": [variant, variant]}, "/variants/1/connection_id"),
        (changed(text=TOO_LONG), "/variants/0/text"),
        (changed(text="a\0b"), "/variants/0/text"),
        (changed(text=None), "/variants/0/text"),
        (changed(settings=[]), "/variants/0/settings"),
        (changed(settings={str(number): 1 for number in range(51)}), "/variants/0/settings"),
        (changed(connection_id=str(new_id())), "/variants/0/connection_id"),
        (changed(connection_id="bluesky"), "/variants/0/connection_id"),
        (changed(media=[{"media_id": str(new_id())}]), "/variants/0/media/0/media_id"),
        (changed(media=[{"media_id": str(new_id()), "alt_text": "x" * 2_001}]), "/variants/0/media/0/alt_text"),
        (changed(media=[{"media_id": str(new_id())}] * 21), "/variants/0/media"),
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused_whole(team, environment, make, pointer: str):
    saved = await team.write()
    before = await team.post(saved)
    body = make(team.variant())
    for method, path in (("POST", "/posts"), ("PUT", f"/posts/{saved['post_id']}")):
        answer = await team.call(method, path, json=body)
        assert problem(answer) == (422, "invalid"), answer.text
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await team.post(saved) == before
    assert rows(environment, "post") == 1


@pytest.mark.parametrize("which", ["revoked", "ending"])
async def test_a_connection_that_ended_takes_no_variant(team, which: str):
    body = {"title": "Spring", "variants": [{"connection_id": str(getattr(team, which)), "text": "x"}]}
    answer = await team.call("POST", "/posts", json=body)
    assert problem(answer) == (422, "invalid")
    assert answer.json()["errors"][0]["pointer"] == "/variants/0/connection_id"


async def test_what_is_not_json_or_too_much_is_refused(team, environment):
    json_type = {"Content-Type": "application/json"}
    assert problem(await team.call("POST", "/posts", content=b"{", headers=json_type)) == (400, "bad-request")
    lone = json.dumps({"title": "\ud800", "variants": []}).encode()
    assert problem(await team.call("POST", "/posts", content=lone, headers=json_type)) == (400, "bad-request")
    huge = json.dumps({"title": "x" * 2**20, "variants": []}).encode()
    assert (await team.call("POST", "/posts", content=huge, headers=json_type)).status_code == 413
    assert rows(environment, "post") == 0


@pytest.mark.parametrize("body", [{}, {"revision_id": "x"}, {"revision_id": str(new_id()), "more": 1}])
async def test_a_decision_needs_exactly_its_fields(team, body: dict[str, Any]):
    saved = await team.submitted()
    for step in ("submission", "approval", "changes"):
        answer = await team.call("POST", f"/posts/{saved['post_id']}/{step}", json=body)
        assert problem(answer) == (422, "invalid")
    too_long = {"revision_id": saved["revision_id"], "comment": "x" * 2_001}
    assert problem(await team.call("POST", f"/posts/{saved['post_id']}/changes", json=too_long)) == (422, "invalid")
    null = {"revision_id": saved["revision_id"], "comment": "a\0b"}
    assert problem(await team.call("POST", f"/posts/{saved['post_id']}/changes", json=null)) == (422, "invalid")
    assert (await team.post(saved))["state"] == "submitted"


async def test_what_is_not_there_is_not_found(team):
    nowhere = f"/posts/{new_id()}"
    body = {"revision_id": str(new_id())}
    post = {"title": "Spring", "variants": []}
    assert problem(await team.call("GET", nowhere)) == (404, "not-found")
    assert problem(await team.call("PUT", nowhere, json=post)) == (404, "not-found")
    assert problem(await team.call("POST", f"{nowhere}/submission", json=body)) == (404, "not-found")
    assert problem(await team.call("POST", f"{nowhere}/approval", json=body)) == (404, "not-found")
    assert problem(await team.call("DELETE", f"{nowhere}/approval")) == (404, "not-found")
    assert problem(await team.call("POST", f"{nowhere}/changes", json=body | {"comment": "x"})) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("POST", "/posts", "viewer"),
        ("POST", "/posts", "approver"),
        ("PUT", "/posts/{post}", "approver"),
        ("DELETE", "/posts/{post}", "viewer"),
        ("POST", "/posts/{post}/submission", "approver"),
        ("POST", "/posts/{post}/approval", "editor"),
        ("DELETE", "/posts/{post}/approval", "editor"),
        ("POST", "/posts/{post}/changes", "editor"),
    ],
)
async def test_who_may_not_is_refused(team, method: str, path: str, role: str):
    saved = await team.approved()
    before = await team.post(saved)
    here = path.format(post=saved["post_id"])
    bodies = {"/posts": {"title": "x", "variants": []}, "/posts/{post}": {"title": "x", "variants": []}}
    body = bodies.get(path, {"revision_id": saved["revision_id"]})
    sent = {} if method == "DELETE" else {"json": body}
    assert problem(await team.call(method, here, role=role, **sent)) == (403, "forbidden")
    url = f"/api/workspaces/{team.workspace_id}{here}"
    assert problem(await team.client.request(method, url, **sent)) == (401, "unauthenticated")
    stranger = team.passport(account_id=new_id(), workspace_id=new_id())
    assert problem(await team.client.request(method, url, headers=stranger, **sent)) == (403, "forbidden")
    own_name = team.passport(service="publisher")
    assert problem(await team.client.request(method, url, headers=own_name, **sent)) == (401, "unauthenticated")
    assert await team.post(saved) == before


async def test_nothing_is_saved_while_the_connections_cannot_be_asked_for(team, neighbour: Litestar, environment):
    def fail(*_: Any) -> Any:
        raise Unavailable

    neighbour.state.connections = type("Broken", (), {"get": fail})()
    answer = await team.call("POST", "/posts", json={"title": "Spring", "variants": [team.variant()]})
    assert problem(answer) == (503, "unavailable")
    assert rows(environment, "post") == 0


def news(team: Any, saved: dict[str, Any]) -> dict[str, Any]:
    return {
        "workspace_id": team.workspace_id,
        "publication_id": new_id(),
        "schedule_id": new_id(),
        "post_id": UUID(saved["post_id"]),
        "revision_id": UUID(saved["revision_id"]),
        "connection_id": team.bluesky,
        "platform": "bluesky",
    }


async def test_a_post_shows_what_became_of_it(team, bus: Bus):
    saved = await team.approved()
    at = SystemClock().now()
    out, failed, dropped = (news(team, saved) for _ in range(3))
    await bus.publish(PublicationNeedsAttentionV1(**out, code="undecided"))
    await wait_for(lambda: bus.settled("content-publisher"))
    (waiting,) = (await team.post(saved))["publications"]
    assert (waiting["state"], waiting["code"]) == ("needs_attention", "undecided")
    await bus.publish(PublicationPublishedV1(**out, published_at=at, platform_post_id="at://x"))
    await bus.publish(PublicationFailedV1(**failed, code="text_refused"))
    await bus.publish(PublicationCancelledV1(**dropped, code="schedule_cancelled"))
    await wait_for(lambda: bus.settled("content-publisher"))
    shown = {item["publication_id"]: item for item in (await team.post(saved))["publications"]}
    states = {UUID(key): (item["state"], item["code"]) for key, item in shown.items()}
    assert states == {
        out["publication_id"]: ("published", None),
        failed["publication_id"]: ("failed", "text_refused"),
        dropped["publication_id"]: ("cancelled", "schedule_cancelled"),
    }
    assert shown[str(out["publication_id"])]["published_at"] == at.isoformat().replace("+00:00", "Z")


async def test_old_news_changes_nothing(team, other_team, bus: Bus, environment):
    saved = await team.approved()
    facts = news(team, saved)
    published = PublicationPublishedV1(**facts, published_at=SystemClock().now())
    event_id = await bus.publish(published)
    await wait_for(lambda: bus.settled("content-publisher"))
    await bus.publish(published, event_id=event_id)
    await bus.publish(PublicationNeedsAttentionV1(**facts, code="undecided"))
    await bus.publish(PublicationCancelledV1(**facts | {"post_id": new_id()}, code="late"))
    await bus.publish(PublicationCancelledV1(**facts | {"workspace_id": other_team.workspace_id}, code="elsewhere"))
    await wait_for(lambda: bus.settled("content-publisher"))
    assert [item["state"] for item in (await team.post(saved))["publications"]] == ["published"]
    assert rows(environment, "publication") == 1


async def test_a_passport_ends_after_a_minute(team, clock):
    headers = team.headers()
    clock.advance(timedelta(seconds=61))
    answer: httpx.Response = await team.client.get(f"/api/workspaces/{team.workspace_id}/posts", headers=headers)
    assert problem(answer) == (401, "unauthenticated")
