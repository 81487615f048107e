"""Threads' authorisation as on the wire: the dialog, two kinds of token, renewal from the second day on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms import grants
from platforms.errors import Misconfigured, ReauthorisationNeeded, Rejected
from platforms.meta.signing import appsecret_proof
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Grant, Profile
from platforms.threads.endpoints import ThreadsEndpoints
from platforms.threads.oauth import REMOVAL_SCOPES, SCOPES
from platforms.threads.platform import THREADS
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from sandbox.threads.platform import ThreadsSandbox

ACCOUNT = "25000000000000001"
ASKED = SCOPES + REMOVAL_SCOPES
Connect = Callable[..., Awaitable[Grant]]


async def test_the_address_is_threads_own_and_says_what_is_asked_for(
    http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    placed = THREADS.place(None)
    started = await placed.platform.authorise(http, client, state="s 1", handle=None, clock=clock)
    assert started.url.startswith(f"{ThreadsEndpoints().web}/oauth/authorize?")
    assert parse_qs(urlsplit(started.url).query) == {
        "client_id": ["sandbox-client-id"],
        "redirect_uri": [client.redirect_uri],
        "scope": [",".join(ASKED)],
        "response_type": ["code"],
        "state": ["s 1"],
    }
    assert started.kept == {}
    assert placed.hosts == ("graph.threads.net",)


@pytest.mark.parametrize("as_text", [True, False])
async def test_a_code_becomes_a_token_of_sixty_days(
    as_text: bool, connect: Connect, imitated: ThreadsSandbox, clock: FixedClock, client: ClientCredentials
) -> None:
    imitated.state.ids_as_text = as_text
    grant = await connect()
    assert (grant.account_id, grant.scopes, grant.refresh_token) == (ACCOUNT, ASKED, None)
    assert grant.expires_at == clock.now() + timedelta(seconds=5_183_944)
    assert client.client_secret is not None
    proof = appsecret_proof(client.client_secret, grant.access_token)
    assert grant.extra["appsecret_proof"].reveal() == proof.reveal()
    assert grants.load(grants.dump(grant, with_refresh=False)).extra["issued_at"].reveal() == clock.now().isoformat()


async def test_the_grant_names_what_the_person_ticked(connect: Connect, imitated: ThreadsSandbox) -> None:
    grant = await connect(scopes=["threads_content_publish"], account="25000000000000002")
    assert set(grant.scopes) == {"threads_basic", "threads_content_publish"}
    assert grant.account_id == "25000000000000002"
    imitated.state.accounts[ACCOUNT].tester = False
    assert (await connect(scopes=["threads_content_publish"])).scopes == ASKED


async def test_who_refuses_gives_no_grant(connect: Connect) -> None:
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await connect(decision="deny")


async def test_a_code_works_once_and_without_what_hangs_on_it(
    threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    started = await threads.authorise(http, client, state="s", handle=None, clock=clock)
    location = await give_consent(http, started.url)
    assert location.endswith("#_")
    callback = {"code": callback_parameters(location)["code"] + "#_"}
    await threads.exchange(http, client, callback=callback, kept={}, clock=clock)
    with pytest.raises(ReauthorisationNeeded) as caught:
        await threads.exchange(http, client, callback=callback, kept={}, clock=clock)
    assert callback["code"] not in str(caught.value)
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await threads.exchange(http, client, callback={}, kept={}, clock=clock)


@pytest.mark.parametrize("changed", [{"redirect_uri": "http://127.0.0.1:1/other"}, {"client_secret": Secret("no")}])
async def test_another_address_or_secret_gets_nothing(
    changed: dict[str, Any], threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await threads.authorise(http, client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    with pytest.raises(ReauthorisationNeeded):
        await threads.exchange(http, replace(client, **changed), callback=callback, kept={}, clock=clock)
    with pytest.raises(Misconfigured, match="client_secret_missing"):
        await threads.exchange(http, replace(client, client_secret=None), callback=callback, kept={}, clock=clock)


async def test_a_token_renews_itself_from_the_second_day_on(
    threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, connect: Connect,
    sandbox: Sandbox,
) -> None:  # fmt: skip
    grant = await connect()
    clock.advance(timedelta(hours=23))
    assert await threads.refresh(http, client, grant, clock=clock) == grant
    assert sandbox.requests("threads", "GET /refresh_access_token") == 0
    clock.advance(timedelta(hours=1))
    renewed = await threads.refresh(http, client, grant, clock=clock)
    assert renewed.access_token.reveal() != grant.access_token.reveal()
    assert renewed.expires_at == clock.now() + timedelta(seconds=5_183_944)
    assert (renewed.account_id, renewed.scopes) == (grant.account_id, grant.scopes)
    assert (await threads.profile(Call(http, clock, renewed))).account_id == ACCOUNT
    # The renewed one is young again.
    assert await threads.refresh(http, client, renewed, clock=clock) == renewed


async def test_a_dead_token_cannot_be_renewed(
    threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, connect: Connect,
    imitated: ThreadsSandbox,
) -> None:  # fmt: skip
    grant = await connect()
    clock.advance(timedelta(days=60))
    with pytest.raises(ReauthorisationNeeded, match=r"190\.463") as caught:
        await threads.refresh(http, client, grant, clock=clock)
    assert grant.access_token.reveal() not in str(caught.value)
    grant = await connect()
    imitated.withdraw(ACCOUNT)
    with pytest.raises(ReauthorisationNeeded, match=r"190\.458"):
        await threads.refresh(http, client, grant, clock=clock)


async def test_an_end_is_never_confirmed_because_threads_has_no_call_for_it(
    threads: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock, call: Call,
    sandbox: Sandbox,
) -> None:  # fmt: skip
    with pytest.raises(Rejected, match="revoke_unsupported") as caught:
        await threads.revoke(http, client, call.grant, clock=clock)
    assert "Settings" in caught.value.advice
    assert (await threads.profile(call)).account_id == ACCOUNT


async def test_the_profile(threads: Platform, call: Call, sandbox: Sandbox) -> None:
    picture = f"{sandbox.base_urls['threads']}/picture/brand_one.jpg"
    assert await threads.profile(call) == Profile(ACCOUNT, "brand_one", "Brand One", picture, None)
    assert [profile.account_id for profile in await threads.accounts(call)] == [ACCOUNT]
    assert await threads.act_for(call, ACCOUNT) == call.grant


@pytest.mark.parametrize("missing", ["threads_content_publish", "threads_manage_replies"])
async def test_a_permission_that_is_missing_shows_where_it_is_used(
    missing: str, threads: Platform, http: httpx.AsyncClient, clock: FixedClock, connect: Connect, thread: Any,
    journal: Any,
) -> None:  # fmt: skip
    grant = await connect(scopes=[scope for scope in SCOPES if scope != missing])
    with pytest.raises(ReauthorisationNeeded, match="200"):
        await threads.stage(Call(http, clock, grant), thread, journal)
