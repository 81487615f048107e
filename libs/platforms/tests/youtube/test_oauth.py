"""Google's authorisation: PKCE, what the person unticks, a refresh token that stays, the end of a grant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import Misconfigured, ReauthorisationNeeded, Rejected
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery
from platforms.tokens import challenge_of
from platforms.youtube.oauth import ANALYTICS, MANAGE
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal
from sandbox.youtube.platform import YouTubeSandbox


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_the_page_is_asked_for_lasting_access_and_nothing_secret_is_in_its_address(
    youtube: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await youtube.authorise(http, client, state="state-1", handle=None, clock=clock)
    query = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    verifier = started.kept["code_verifier"].reveal()
    assert query == {
        "client_id": "sandbox-client-id",
        "redirect_uri": client.redirect_uri,
        "response_type": "code",
        "scope": f"{MANAGE} {ANALYTICS}",
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
        "state": "state-1",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    assert started.expires_at > clock.now()


async def test_a_consent_gives_a_grant_for_the_chosen_channel(
    youtube: Platform, connect: Callable[..., Any], server: YouTubeSandbox, clock: FixedClock
) -> None:
    one, two = server.state.channels
    call = await connect(account=two)
    assert call.grant.account_id == two
    assert call.grant.scopes == (MANAGE, ANALYTICS)
    assert call.grant.expires_at == clock.now() + timedelta(seconds=3599)
    assert call.grant.refresh_expires_at is None
    profile = await youtube.profile(call)
    assert (profile.account_id, profile.handle, profile.display_name) == (two, "@brand_two", "Brand Two")
    assert profile.avatar_url is not None
    assert [account.account_id for account in await youtube.accounts(call)] == [two]
    assert (await youtube.act_for(call, two)).account_id == two
    with pytest.raises(ReauthorisationNeeded, match="channel_not_granted"):
        await youtube.act_for(call, one)


async def test_analytics_may_be_unticked_and_the_rest_may_not(youtube: Platform, connect: Callable[..., Any]) -> None:
    without = await connect(scopes=[MANAGE])
    assert set(youtube.scopes) <= set(without.grant.scopes)
    nothing = await connect(account=None, scopes=[ANALYTICS])
    # What the channel granted before is granted still.
    assert set(nothing.grant.scopes) == {ANALYTICS, MANAGE}


async def test_a_grant_without_what_is_needed_names_its_scopes_and_no_channel(
    youtube: Platform, connect: Callable[..., Any]
) -> None:
    call = await connect(scopes=[ANALYTICS])
    assert call.grant.scopes == (ANALYTICS,)
    assert set(youtube.scopes) - set(call.grant.scopes) == {MANAGE}
    assert call.grant.account_id == ""


async def test_a_refused_consent_is_told_as_one(
    youtube: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await youtube.authorise(http, client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, decision="deny"))
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await youtube.exchange(http, client, callback=callback, kept=started.kept, clock=clock)
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await youtube.exchange(http, client, callback={}, kept=started.kept, clock=clock)


async def test_a_code_works_once_and_only_with_its_verifier(
    youtube: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await youtube.authorise(http, client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    other = {"code_verifier": Secret("x" * 43)}
    for kept in (other, started.kept):
        with pytest.raises(ReauthorisationNeeded, match="invalid_grant") as caught:
            await youtube.exchange(http, client, callback=callback, kept=kept, clock=clock)
        assert callback["code"] not in str(caught.value)


async def test_an_account_without_a_channel_is_told_to_make_one(
    connect: Callable[..., Any], server: YouTubeSandbox
) -> None:
    nobody = server.register_account({"handle": "nobody", "exists": False})
    with pytest.raises(Rejected, match="youtubeSignupRequired"):
        await connect(account=nobody["channel_id"])


async def test_a_renewed_grant_keeps_what_google_does_not_send_again(
    youtube: Platform, call: Call, client: ClientCredentials, clock: FixedClock, server: YouTubeSandbox
) -> None:
    server.expire_access_tokens()
    with pytest.raises(ReauthorisationNeeded, match="authError"):
        await youtube.profile(call)
    clock.advance(timedelta(hours=1))
    renewed = await youtube.refresh(call.http, client, call.grant, clock=clock)
    assert renewed.access_token != call.grant.access_token
    assert renewed == replace(
        call.grant, access_token=renewed.access_token, expires_at=clock.now() + timedelta(seconds=3599)
    )
    assert (await youtube.profile(Call(call.http, clock, renewed))).account_id == call.grant.account_id


async def test_access_for_a_time_says_until_when(
    youtube: Platform, connect: Callable[..., Any], client: ClientCredentials, clock: FixedClock, server: YouTubeSandbox
) -> None:
    server.state.clients["sandbox-client-id"].testing = True
    call = await connect()
    assert call.grant.refresh_expires_at == clock.now() + timedelta(seconds=604_799)
    clock.advance(timedelta(days=8))
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await youtube.refresh(call.http, client, call.grant, clock=clock)


async def test_a_second_consent_brings_a_refresh_token_again(connect: Callable[..., Any], call: Call) -> None:
    again = await connect()
    assert again.grant.refresh_token is not None
    assert again.grant.refresh_token != call.grant.refresh_token


async def test_a_grant_without_a_refresh_token_says_so_and_is_not_renewed(
    youtube: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, call: Call
) -> None:
    started = await youtube.authorise(http, client, state="s", handle=None, clock=clock)
    silent = started.url.replace("prompt=consent", "prompt=none")
    callback = callback_parameters(await give_consent(http, silent))
    bare = await youtube.exchange(http, client, callback=callback, kept=started.kept, clock=clock)
    assert (bare.account_id, bare.refresh_token) == (call.grant.account_id, None)
    with pytest.raises(ReauthorisationNeeded, match="no_refresh_token"):
        await youtube.refresh(http, client, bare, clock=clock)


async def test_revoking_ends_every_token_and_can_be_repeated(
    youtube: Platform, call: Call, client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    await youtube.revoke(call.http, client, call.grant, clock=clock)
    await youtube.revoke(call.http, client, call.grant, clock=clock)
    (revocation,) = sandbox.truth.revocations("youtube")
    assert revocation.account_id == call.grant.account_id
    with pytest.raises(ReauthorisationNeeded):
        await youtube.profile(call)
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await youtube.refresh(call.http, client, call.grant, clock=clock)


async def test_an_access_that_the_person_withdrew_needs_the_person(
    youtube: Platform, call: Call, delivery: Delivery, journal: MemoryJournal, server: YouTubeSandbox
) -> None:
    server.withdraw(call.grant.account_id)
    with pytest.raises(ReauthorisationNeeded, match="authError"):
        await youtube.stage(call, delivery, journal)


async def test_a_wrong_secret_is_for_the_operator(
    youtube: Platform, call: Call, client: ClientCredentials, clock: FixedClock
) -> None:
    for secret in (Secret("wrong"), None):
        with pytest.raises(Misconfigured):
            await youtube.refresh(call.http, replace(client, client_secret=secret), call.grant, clock=clock)
