"""What platforms tell: signed or refused, with one effect however often it is told, and never against what is newer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from auth.adapters.hooks import PlatformHooks
from auth.domain.notices import NOTICES_KEPT, WEBHOOK_BYTES_MAX, NoticeRefused
from contracts.auth import ConnectionEstablishedV1, ConnectionRevokedV2, PlatformConfirmation, RevocationReason
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.clock import MovableClock
from kit.secret import Secret
from kit.settings import Environment
from kit.testing import wait_for
from kit.testing.services import Bus
from platforms.environment import OfferedPlatforms
from platforms.meta.signing import verify_token

from services.auth.tests.client import Room, Superuser
from services.auth.tests.test_connecting import counts
from services.auth.tests.test_disconnecting import REVOKE
from services.auth.tests.test_secrets import everything_stored, everything_told, logged

__all__ = ["logged"]

SECRET = "sandbox-client-secret"  # known to everyone on purpose


def removal(room: Room, clock: MovableClock, **changes: Any) -> tuple[bytes, dict[str, str]]:
    """A removal as TikTok tells it, and its headers."""
    (account,) = {held.open_id for held in room.sandbox.tiktok.state.grants}
    told = {
        "client_key": "sandbox-client-key",
        "event": "authorization.removed",
        "create_time": int(clock.now().timestamp()),
        "user_openid": account,
        "content": '{"reason":1}',
    }
    body = json.dumps(told | changes).encode()
    return body, {"TikTok-Signature": signature(body, "1633174587")}


def signature(body: bytes, signed_at: str, secret: str = SECRET) -> str:
    mac = hmac.new(secret.encode(), signed_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},s={mac}"


async def tell(room: Room, body: bytes, headers: dict[str, str], path: str = "/webhooks/tiktok") -> httpx.Response:
    return await room.auth.http.post(path, content=body, headers=headers)


def states(superuser: Superuser) -> list[str]:
    return [state for (state,) in superuser.execute("SELECT state FROM connection ORDER BY established_at").fetchall()]


def leave(room: Room) -> None:
    for held in list(room.sandbox.tiktok.state.grants):
        room.sandbox.tiktok.withdraw(held.open_id)


@pytest.mark.promise("P27")
@pytest.mark.promise("P60")
@pytest.mark.usefixtures("hooked")
async def test_who_leaves_at_the_platform_has_left_in_every_workspace(
    room: Room, bus: Bus, superuser: Superuser, logged: io.StringIO
):
    other = replace(room, workspace_id=await room.auth.create_workspace(room.account_id, "Beech"))
    connections = {await room.connect(), await other.connect()}
    (account,) = {held.open_id for held in room.sandbox.tiktok.state.grants}
    await bus.wait_told(ConnectionEstablishedV1, 2)
    room.sandbox.tuning.webhook_copies = 3
    leave(room)
    told = await bus.wait_told(ConnectionRevokedV2, 2)
    assert {event.connection_id for event in told if isinstance(event, ConnectionRevokedV2)} == connections
    for event in told:
        assert isinstance(event, ConnectionRevokedV2)
        assert (event.reason, event.platform_confirmation) == (
            RevocationReason.PLATFORM, PlatformConfirmation.NOT_ASKED,
        )  # fmt: skip
    assert counts(superuser, "sealed_grant", "grant_key", "lease") == [0, 0, 0]
    assert room.sandbox.requests("tiktok", REVOKE["tiktok"]) == 0
    assert (await room.list(), await other.list()) == ([], [])
    # Two removals, one for each authorisation, told three times each: at the same second they are the same word.
    assert len(await bus.told(ConnectionRevokedV2)) == 2
    for place in (everything_stored(superuser), await everything_told(bus), logged.getvalue()):
        assert account not in place
        assert SECRET not in place


@pytest.mark.promise("P27")
@pytest.mark.usefixtures("hooked")
async def test_the_tokens_are_gone_at_once_though_somebody_still_holds_a_lease(
    room: Room, bus: Bus, superuser: Superuser
):
    connection_id = await room.connect()
    lease = await room.borrow(connection_id)
    leave(room)
    await wait_for(lambda: states(superuser) == ["ending"])
    assert superuser.execute("SELECT ciphertext, nonce, data_key_id FROM sealed_grant").fetchall() == [(b"", b"", None)]
    await wait_for(lambda: counts(superuser, "grant_key") == [0])
    assert [refusal.code for refusal in (await room.borrow(connection_id)).refused] == ["revoked"]
    assert await bus.told(ConnectionRevokedV2) == []
    await room.give_back(lease)
    await bus.wait_told(ConnectionRevokedV2)


async def test_what_is_not_the_platforms_is_refused_alike_and_changes_nothing(
    room: Room, clock: MovableClock, superuser: Superuser, logged: io.StringIO
):
    await room.connect()
    body, headers = removal(room, clock)
    other = removal(room, clock, user_openid="another")[0]
    answers = [
        await tell(room, body, {}),
        await tell(room, body, {"TikTok-Signature": signature(body, "1633174587", "guessed")}),
        await tell(room, other, headers),
        await tell(room, body + b" ", headers),
        await tell(room, body, headers, "/webhooks/facebook"),
        await tell(room, body, headers, "/webhooks/myspace"),
        await tell(room, body, headers, "/webhooks/tiktok/data-deletion"),
        await tell(room, b"signed_request=a.b", {}, "/webhooks/tiktok/deauthorise"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert len({tuple(answer.json().items() - {("trace_id", answer.json()["trace_id"])}) for answer in answers}) == 1
    assert logged.getvalue().count("'event': 'notice_refused'") == len(answers) - 1
    assert (states(superuser), counts(superuser, "platform_notice", "deletion_request")) == (["active"], [0, 0])


async def test_a_body_that_no_platform_sends_is_not_read(room: Room):
    answer = await tell(room, b"x" * (WEBHOOK_BYTES_MAX + 1), {})
    assert answer.status_code == 413


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), told=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80))
def test_no_signature_that_is_guessed_is_taken(body: bytes, told: str):
    values = {"PUBLIC_URL": "https://signoff.example"}
    for name in ("TIKTOK", "FACEBOOK", "INSTAGRAM", "THREADS", "X", "LINKEDIN", "YOUTUBE"):
        values |= {f"PLATFORM_CLIENT_ID_{name}": "id", f"PLATFORM_CLIENT_SECRET_{name}": SECRET}
    offered = OfferedPlatforms.read(Environment(values))
    names = ("tiktok-signature", "x-hub-signature", "x-hub-signature-256", "x-li-signature")
    for platform in offered.platforms:
        for sent in (body, b"signed_request=" + body):
            with pytest.raises(NoticeRefused):
                PlatformHooks(offered).read(platform, dict.fromkeys(names, told), sent)


@pytest.mark.promise("P27")
async def test_an_old_removal_does_not_end_a_newer_authorisation(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    await room.connect()
    body, headers = removal(room, clock)
    assert (await tell(room, body, headers)).status_code == 200
    await bus.wait_told(ConnectionRevokedV2)
    clock.advance(timedelta(minutes=5))
    await room.connect()
    for pause in (timedelta(), NOTICES_KEPT + timedelta(minutes=1)):
        clock.advance(pause)
        late = removal(room, clock, create_time=int((clock.now() - pause - timedelta(minutes=4)).timestamp()))
        assert (await tell(room, body, headers)).status_code == 200
        assert (await tell(room, *late)).status_code == 200
    assert sorted(states(superuser)) == ["active", "revoked"]


async def test_the_same_word_at_the_same_time_is_taken_once(
    room: Room, bus: Bus, clock: MovableClock, superuser: Superuser
):
    await room.connect()
    body, headers = removal(room, clock)
    answers = await asyncio.gather(*(tell(room, body, headers) for _ in range(5)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    await bus.wait_told(ConnectionRevokedV2)
    assert counts(superuser, "platform_notice") == [1]
    clock.advance(NOTICES_KEPT + timedelta(minutes=1))
    await wait_for(lambda: counts(superuser, "platform_notice") == [0])


@pytest.mark.usefixtures("hooked")
async def test_the_echo_of_our_own_revocation_ends_nothing_else(room: Room, bus: Bus, superuser: Superuser):
    other = replace(room, workspace_id=await room.auth.create_workspace(room.account_id, "Beech"))
    first, second = await room.connect(), await other.connect()
    room.sandbox.tuning.webhook_copies = 2
    assert (await room.disconnect(first)).json()["platform_confirmed"] is True
    await bus.wait_told(ConnectionRevokedV2)
    assert [shown["connection_id"] for shown in await other.list()] == [str(second)]
    assert counts(superuser, "platform_notice") == [0]


async def test_what_is_told_of_posts_is_taken_and_counted_only(
    room: Room, clock: MovableClock, superuser: Superuser, logged: io.StringIO
):
    await room.connect()
    told = removal(room, clock, event="post.publish.complete", content='{"publish_id":"p"}')
    assert (await tell(room, *told)).status_code == 200
    assert "'kind': 'post_published', 'count': 1, 'event': 'notices_ignored'" in logged.getvalue()
    assert (states(superuser), counts(superuser, "platform_notice")) == (["active"], [0])


class TestChallenges:
    @pytest.fixture
    def imitated(self) -> tuple[str, ...]:
        return ("facebook", "x", "linkedin")

    async def test_the_address_is_proven_to_who_knows_the_secret(self, room: Room):
        token = verify_token(Secret(SECRET))
        asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        meta = await room.auth.http.get("/webhooks/facebook", params=asked)
        assert (meta.status_code, meta.text) == (200, "1158201444")
        assert meta.headers["content-type"].startswith("text/plain")
        x = await room.auth.http.get("/webhooks/x", params={"crc_token": "abc"})
        assert x.headers["content-type"].startswith("application/json")
        assert x.json()["response_token"].startswith("sha256=")
        linkedin = await room.auth.http.get("/webhooks/linkedin", params={"challengeCode": "a-b-c"})
        assert linkedin.json()["challengeCode"] == "a-b-c"

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "hub.mode=subscribe&hub.verify_token=guessed&hub.challenge=1",
            "hub.mode=subscribe&hub.challenge=1",
            "hub.challenge=" + "1" * 2_001,
        ],
    )
    async def test_nothing_is_said_to_anybody_else(self, room: Room, query: str):
        for platform in ("facebook", "tiktok", "myspace"):
            answer = await room.auth.http.get(f"/webhooks/{platform}?{query}")
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:signoff:problem:notice-refused")
