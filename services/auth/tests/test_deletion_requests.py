"""Meta's callbacks: who leaves is disconnected, who asks for deletion gets a code and a page that tells the truth."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from auth.domain.notices import REQUESTS_KEPT
from contracts.auth import ConnectionRevokedV2, PlatformConfirmation, RevocationReason
from contracts.retention import ErasureCompletedV1
from kit.clock import MovableClock
from kit.ids import new_id
from kit.testing import wait_for
from kit.testing.services import Bus
from sandbox.facebook.platform import FacebookSandbox

from services.auth.tests.client import Room, Superuser
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_secrets import everything_stored


@pytest.fixture
def imitated() -> tuple[str, ...]:
    return ("facebook",)


def facebook(room: Room) -> FacebookSandbox:
    return room.sandbox.of(FacebookSandbox)


def person(room: Room) -> str:
    return next(iter(facebook(room).state.people))


def ask_for_deletion(room: Room) -> None:
    state = facebook(room).state
    state.webhooks.ask_for_deletion(state.clients["sandbox-client-id"], person(room))


async def answered(room: Room, count: int = 1) -> list[dict[str, Any]]:
    """What auth answered to requests for deletion, as Facebook got it."""
    answers = facebook(room).state.webhooks.answers

    def told() -> list[dict[str, Any]]:
        found = [httpx.Response(status, content=content) for status, content in answers if content]
        return [answer.json() for answer in found] if len(found) >= count else []

    return await wait_for(told, what="the answer to a request for deletion")


async def page(room: Room, code: str) -> str:
    answer = await room.auth.http.get(f"/deletions/{code}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer.text


def words(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


@pytest.mark.promise("P27")
@pytest.mark.usefixtures("hooked")
async def test_who_removes_us_at_facebook_loses_every_page_here(room: Room, bus: Bus, superuser: Superuser):
    await room.connect("facebook")
    facebook(room).withdraw(person(room))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert (told.reason, told.platform_confirmation) == (RevocationReason.PLATFORM, PlatformConfirmation.NOT_ASKED)
    assert counts(superuser, "sealed_grant", "grant_key", "deletion_request") == [0, 0, 0]
    assert person(room) not in everything_stored(superuser)


@pytest.mark.promise("P27")
@pytest.mark.usefixtures("hooked")
async def test_a_request_for_deletion_is_followed_until_the_last_backup_is_gone(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    await room.connect("facebook")
    # Told twice, as where an answer was lost.
    ask_for_deletion(room)
    ask_for_deletion(room)
    first, second = await answered(room, 2)
    assert first == second
    code = first["confirmation_code"]
    assert first["url"] == f"http://127.0.0.1:8000/deletions/{code}"
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    assert counts(superuser, "sealed_grant", "deletion_request", "deletion_part") == [0, 1, 1]
    due = f"{clock.now() + timedelta(days=30):%B %Y}"
    shown = words(await page(room, code))
    assert "Every token was destroyed" in shown
    assert re.search(rf"will be deleted by \d+ {due} at the latest", shown)
    assert f"/api/erasures/{told.erasure_id}" in await page(room, code)

    clock.advance(timedelta(days=29))
    completed = ErasureCompletedV1(erasure_id=told.erasure_id, completed_at=clock.now(), final=False)
    await bus.publish(completed)

    async def says(text: str) -> bool:
        return text in words(await page(room, code))

    await wait_for(lambda: says(f"such as the numbers of posts: deleted on {clock.now().day} "))
    assert await says("Backups: those from before the deletion are destroyed by")
    await bus.publish(completed.model_copy(update={"final": True}))
    await wait_for(lambda: says("Backups: every one from before the deletion is destroyed."))


@pytest.mark.usefixtures("hooked")
async def test_who_left_before_they_asked_finds_what_their_leaving_opened(room: Room, bus: Bus):
    await room.connect("facebook")
    facebook(room).withdraw(person(room))
    (told,) = await bus.wait_told(ConnectionRevokedV2)
    assert isinstance(told, ConnectionRevokedV2)
    ask_for_deletion(room)
    (answer,) = await answered(room)
    assert f"/api/erasures/{told.erasure_id}" in await page(room, answer["confirmation_code"])


@pytest.mark.usefixtures("hooked")
async def test_who_is_not_known_gets_a_code_and_an_honest_page(room: Room, clock: MovableClock, superuser: Superuser):
    ask_for_deletion(room)
    (answer,) = await answered(room)
    shown = await page(room, answer["confirmation_code"])
    assert "Nothing to delete" in words(shown)
    assert person(room) not in shown
    assert person(room) not in everything_stored(superuser)
    clock.advance(REQUESTS_KEPT + timedelta(minutes=1))
    await wait_for(lambda: counts(superuser, "deletion_request", "deletion_part", "platform_notice") == [0, 0, 0])


async def test_a_code_that_was_never_given_shows_nothing(room: Room):
    for code in (new_id().hex, "f" * 31, "%27%3Cscript%3E"):
        answer = await room.auth.http.get(f"/deletions/{code}")
        assert answer.status_code == 404
        assert "No request for deletion has this code" in answer.text
        assert "<script" not in answer.text


class Outline(HTMLParser):
    """Tags as they open, and whether each is closed again."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.usefixtures("hooked")
async def test_the_page_is_for_everybody_and_runs_nothing(room: Room):
    ask_for_deletion(room)
    (answer,) = await answered(room)
    response = await room.auth.http.get(f"/deletions/{answer['confirmation_code']}")
    outline = Outline(response.text)
    assert outline.open == []
    assert {"html", "title", "main", "h1", "h2", "time"} <= set(outline.tags)
    assert not {"script", "img", "iframe", "form"} & set(outline.tags)
    assert outline.attributes["lang"] == "en"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
