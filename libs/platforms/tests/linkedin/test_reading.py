"""Posts in numbers, and what LinkedIn tells of its own accord."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Counts, Delivery, Media, NoticeKind
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.linkedin.state import Organisation
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

from libs.platforms.tests.linkedin.conftest import staged

SECRET = b"sandbox-client-secret"


async def post(linkedin: Platform, call: Call, delivery: Delivery, clock: FixedClock) -> str:
    journal = MemoryJournal()
    await staged(linkedin, call, delivery, journal, clock)
    await linkedin.publish(call, delivery, journal)
    return str(journal.facts["post_urn"])


async def test_an_organisations_posts_are_counted_at_once(
    linkedin: Platform,
    organisation: Call,
    make_post: Callable[..., Delivery],
    video: Media,
    clock: FixedClock,
    sandbox: Sandbox,
    server: LinkedInSandbox,
):
    share = await post(linkedin, organisation, make_post(), clock)
    gone = await post(linkedin, organisation, make_post(text="Gone"), clock)
    film = await post(linkedin, organisation, make_post(video), clock)
    server.state.posts[gone].removed = True
    clock.advance(timedelta(days=2))
    new = await post(linkedin, organisation, make_post(text="New"), clock)
    counts = await linkedin.insights(organisation, [share, gone, film, new])
    assert counts.keys() == {share, film, new}
    assert counts[new] == Counts(likes=0, comments=0, shares=0, impressions=0, reach=0, clicks=0)
    for urn in (share, film):
        told = counts[urn]
        assert told.impressions
        assert told.reach
        assert told.impressions > told.reach > (told.likes or 0) > 0
        assert told.views is None
    assert sandbox.requests("linkedin", "GET /rest/organizationalEntityShareStatistics") == 2


async def test_a_members_post_is_counted_number_by_number(
    linkedin: Platform,
    member: Call,
    make_post: Callable[..., Delivery],
    clock: FixedClock,
    server: LinkedInSandbox,
):
    urn = await post(linkedin, member, make_post(), clock)
    gone = await post(linkedin, member, make_post(text="Gone"), clock)
    server.state.posts[gone].removed = True
    clock.advance(timedelta(days=2))
    counts = await linkedin.insights(member, [urn, gone])
    assert counts.keys() == {urn}
    assert counts[urn].impressions
    assert counts[urn].likes
    assert counts[urn].clicks is None


async def test_who_is_no_administrator_sees_no_numbers_and_their_grant_is_not_dead(
    linkedin: Platform, member: Call, make_post: Callable[..., Delivery], clock: FixedClock
):
    second = Organisation("brand-two", "Brand Two").urn
    call = replace(member, grant=await linkedin.act_for(member, second))
    urn = await post(linkedin, call, make_post(), clock)
    with pytest.raises(Rejected, match="statistics_denied"):
        await linkedin.insights(call, [urn])
    withdraw = replace(call, grant=replace(call.grant, access_token=Secret("gone")))
    with pytest.raises(ReauthorisationNeeded):
        await linkedin.insights(withdraw, [urn])


def signed(body: bytes) -> str:
    return hmac.new(SECRET, b"hmacsha256=" + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("prefix", ["", "hmacsha256="])
@pytest.mark.parametrize("header", ["X-LI-Signature", "x-li-signature"])
def test_a_webhook_signed_with_our_secret_is_believed(
    prefix: str, header: str, linkedin: Platform, client: ClientCredentials
):
    body = b'{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"}'
    assert linkedin.verify_webhook({header: prefix + signed(body)}, body, client)


@pytest.mark.parametrize(
    "told",
    ["", "hmacsha256=", "0" * 64, hmac.new(SECRET, b"{}", hashlib.sha256).hexdigest(), "ü" * 64],
)
def test_any_other_webhook_is_not(told: str, linkedin: Platform, client: ClientCredentials):
    assert not linkedin.verify_webhook({"X-LI-Signature": told}, b"{}", client)
    assert not linkedin.verify_webhook({"X-LI-Signature": signed(b"{}")}, b"{}", replace(client, client_secret=None))


def test_the_challenge_is_answered_with_its_signature(linkedin: Platform, client: ClientCredentials):
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    told = json.loads(linkedin.answer_challenge({"challengeCode": code}, client) or "")
    assert told == {
        "challengeCode": code,
        "challengeResponse": hmac.new(SECRET, code.encode(), hashlib.sha256).hexdigest(),
    }


@pytest.mark.parametrize("code", ["", "x" * 201, 'hmacsha256={"type":"forged"}'])
def test_nobody_gets_a_webhooks_signature_from_the_challenge(code: str, linkedin: Platform, client: ClientCredentials):
    assert linkedin.answer_challenge({"challengeCode": code}, client) is None


def test_each_notification_is_a_notice_with_linkedins_own_number(linkedin: Platform):
    told = {
        "notificationId": 2606271,
        "organizationalEntity": "urn:li:organization:1",
        "action": "LIKE",
        "sourcePost": "urn:li:share:2",
        "lastModifiedAt": 1_762_000_000_000,
    }
    body = json.dumps({"type": "x", "notifications": [told, told | {"notificationId": 5, "action": "COMMENT"}]})
    first, second = linkedin.read_webhook({}, body.encode())
    assert (first.kind, first.notice_id, second.notice_id) == (NoticeKind.OTHER, "2606271", "5")
    assert (first.account_id, first.post_id, first.code) == ("urn:li:organization:1", "urn:li:share:2", "LIKE")
    assert first.occurred_at


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"notifications":[{}]}', b"\xff"])
def test_what_is_not_understood_is_one_notice(body: bytes, linkedin: Platform):
    (notice,) = linkedin.read_webhook({}, body)
    assert (notice.kind, notice.notice_id) == (NoticeKind.OTHER, hashlib.sha256(body).hexdigest())
