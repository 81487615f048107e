"""Instagram Login: both forms of the first token, the long-lived one and its renewal, scopes, and the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import Misconfigured, PlatformError, ReauthorisationNeeded, Rejected, Transient
from platforms.instagram.oauth import SCOPES
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Grant, Profile
from sandbox.consent import callback_parameters, give_consent
from sandbox.instagram.platform import InstagramSandbox
from sandbox.server import Sandbox

ACCOUNT, PERSON = "17841400000000001", "26000000000000001"
LIFE = timedelta(seconds=5_183_944)

Connect = Callable[..., Awaitable[Grant]]


async def test_the_page_is_asked_for_what_is_needed_and_for_who_it_is(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await instagram.authorise(http, client, state="s t", handle=None, clock=clock)
    query = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    assert query == {
        "client_id": "sandbox-client-id",
        "redirect_uri": client.redirect_uri,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": "s t",
        "force_reauth": "true",
    }
    assert started.kept == {}


@pytest.mark.parametrize("flat", [False, True])
async def test_both_forms_of_the_first_token_become_the_same_grant(
    imitated: InstagramSandbox, connect: Connect, clock: FixedClock, flat: bool
) -> None:
    imitated.state.flat_tokens = flat
    grant = await connect()
    assert grant.account_id == ACCOUNT
    assert set(grant.scopes) == set(SCOPES)
    assert grant.expires_at == clock.now() + LIFE
    assert grant.refresh_token is None
    assert grant.extra["user_id"].reveal() == PERSON
    assert grant.access_token.reveal() not in repr(grant)


async def test_the_scopes_are_those_that_were_ticked(connect: Connect) -> None:
    ticked = ["instagram_business_content_publish"]
    grant = await connect(account="17841400000000002", scopes=ticked)
    assert grant.account_id == "17841400000000002"
    assert set(grant.scopes) == {"instagram_business_basic", *ticked}


async def test_who_refuses_is_told_so(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, connect: Connect
) -> None:
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await connect(decision="deny")
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await instagram.exchange(http, client, callback={"code": "#_"}, kept={}, clock=clock)


async def test_a_code_works_once_and_what_instagram_hangs_on_it_is_no_part_of_it(
    instagram: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: FixedClock,
) -> None:
    started = await instagram.authorise(http, client, state="s", handle=None, clock=clock)
    location = await give_consent(http, started.url)
    assert location.endswith("#_")
    code = callback_parameters(location)["code"] + "#_"
    grant = await instagram.exchange(http, client, callback={"code": code}, kept={}, clock=clock)
    assert grant.account_id == ACCOUNT
    with pytest.raises(ReauthorisationNeeded) as caught:
        await instagram.exchange(http, client, callback={"code": code}, kept={}, clock=clock)
    assert code[:-2] not in str(caught.value)


async def test_a_wrong_secret_and_a_missing_one(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    with pytest.raises(ReauthorisationNeeded):
        await instagram.exchange(
            http, replace(client, client_secret=Secret("wrong")), callback={"code": "c"}, kept={}, clock=clock
        )
    with pytest.raises(Misconfigured, match="client_secret_missing"):
        await instagram.exchange(
            http, replace(client, client_secret=None), callback={"code": "c"}, kept={}, clock=clock
        )


async def test_a_token_is_renewed_from_its_second_day_on(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, connect: Connect
) -> None:
    grant = await connect()
    clock.advance(timedelta(hours=12))
    assert await instagram.refresh(http, client, grant, clock=clock) == grant
    clock.advance(timedelta(days=48))
    renewed = await instagram.refresh(http, client, grant, clock=clock)
    assert renewed.access_token.reveal() != grant.access_token.reveal()
    assert renewed.expires_at == clock.now() + LIFE
    assert (renewed.account_id, set(renewed.scopes)) == (ACCOUNT, set(SCOPES))
    assert renewed.extra["user_id"].reveal() == PERSON
    assert (await instagram.profile(Call(http, clock, renewed))).account_id == ACCOUNT


async def test_a_dead_token_is_not_renewed_at_any_age(
    instagram: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: FixedClock,
    imitated: InstagramSandbox,
    connect: Connect,
) -> None:
    young = await connect()
    imitated.withdraw(ACCOUNT)
    with pytest.raises(ReauthorisationNeeded, match=r"190\.458"):
        await instagram.refresh(http, client, young, clock=clock)
    old = await connect()
    clock.advance(timedelta(days=61))
    with pytest.raises(ReauthorisationNeeded, match=r"190\.463"):
        await instagram.refresh(http, client, old, clock=clock)


async def test_scopes_that_a_renewal_does_not_name_are_kept(
    instagram: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
    connect: Connect,
) -> None:
    grant = await connect()
    clock.advance(timedelta(days=2))
    body = {"access_token": "IGAA-next", "token_type": "bearer"}
    sandbox.add_fault("instagram", "GET /refresh_access_token", "answer", status=200, body=body)
    renewed = await instagram.refresh(http, client, grant, clock=clock)
    assert renewed.scopes == grant.scopes
    assert renewed.expires_at == clock.now() + timedelta(days=60)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error_type": "OAuthException", "code": 400, "error_message": "used hunter2"}, ReauthorisationNeeded),
        (200, {"error_type": "OAuthException", "code": 400, "error_message": "used hunter2"}, ReauthorisationNeeded),
        (500, {"error_type": "OAuthException", "code": 500, "error_message": "hunter2"}, Transient),
        (200, {"data": []}, Transient),
    ],
)
async def test_the_other_envelope_of_the_host_that_trades_codes(
    instagram: Platform,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
    status: int,
    body: Mapping[str, object],
    expected: type[PlatformError],
) -> None:
    sandbox.add_fault("instagram", "POST /oauth/access_token", "answer", status=status, body=body)
    with pytest.raises(expected) as caught:
        await instagram.exchange(http, client, callback={"code": "c"}, kept={}, clock=clock)
    assert "hunter2" not in str(caught.value)


async def test_instagram_confirms_no_end_but_tells_nothing_more(
    instagram: Platform, http: httpx.AsyncClient, client: ClientCredentials, imitated: InstagramSandbox, call: Call
) -> None:
    imitated.state.accounts[ACCOUNT].subscribed["sandbox-client-id"] = ["comments"]
    with pytest.raises(Rejected, match="no_revocation") as caught:
        await instagram.revoke(http, client, call.grant, clock=call.clock)
    assert "Settings" in caught.value.advice
    assert imitated.state.accounts[ACCOUNT].subscribed == {}


async def test_the_profile_says_who_it_is_and_by_which_number_callbacks_know_them(
    instagram: Platform, call: Call, sandbox: Sandbox
) -> None:
    assert await instagram.profile(call) == Profile(
        account_id=ACCOUNT,
        handle="brand_one",
        display_name="Brand One",
        avatar_url=f"{sandbox.base_urls['instagram']}/picture/brand_one.jpg",
        account_type="Business",
        union_id=PERSON,
    )
    assert [profile.account_id for profile in await instagram.accounts(call)] == [ACCOUNT]
