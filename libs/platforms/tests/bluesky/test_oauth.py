"""Bluesky's authorisation: discovery from both sides, DPoP with nonces, single-use refresh tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.bluesky.dpop import create_key
from platforms.errors import (
    Misconfigured,
    PlatformError,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.http import create_http_client
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Delivery, PlatformName, Published
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from sandbox.testing import MemoryJournal

TOKEN = "POST /oauth/token"


async def test_a_handle_leads_to_a_grant_for_its_account(
    bluesky: Platform, bluesky_call: Call, sandbox: Sandbox, clock: FixedClock
) -> None:
    grant = bluesky_call.grant
    assert grant.account_id == sandbox.bluesky.state.account_of("brand.test").did  # type: ignore[union-attr]
    assert set(grant.scopes) == {*bluesky.scopes, *bluesky.removal.also_needs}
    assert grant.extra["pds"].reveal() == grant.extra["issuer"].reveal() == sandbox.base_urls["bluesky"]
    assert grant.refresh_expires_at == clock.now() + timedelta(days=14)
    profile = await bluesky.profile(bluesky_call)
    assert (profile.handle, profile.display_name) == ("brand.test", "Brand")


async def test_without_a_handle_the_entryway_authorises(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await bluesky.authorise(http, bluesky_client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    grant = await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=clock)
    assert grant.account_id.startswith("did:plc:")


async def test_a_person_who_denies_gives_none(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, decision="deny"))
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=clock)


@pytest.mark.parametrize("handle", ["nobody.test", "not a handle", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "did:key:z6"])
async def test_nobody_of_that_name(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock, handle: str
) -> None:
    with pytest.raises(Rejected):
        await bluesky.authorise(http, bluesky_client, state="s", handle=handle, clock=clock)


async def test_a_handle_that_its_account_does_not_claim_is_refused(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    victim = sandbox.bluesky.state.account_of("pub.test")
    assert victim is not None
    resolve = "GET /xrpc/com.atproto.identity.resolveHandle"
    sandbox.add_fault("bluesky", resolve, "answer", status=200, body={"did": victim.did})
    with pytest.raises(Rejected, match="handle_unconfirmed"):
        await bluesky.authorise(http, bluesky_client, state="s", handle="mallory.test", clock=clock)


async def test_a_server_that_is_not_listed_is_not_called(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    account = sandbox.bluesky.state.account_of("brand.test")
    assert account is not None
    document = {
        "id": account.did,
        "alsoKnownAs": ["at://brand.test"],
        "service": [{"id": "#atproto_pds", "serviceEndpoint": "https://internal.example"}],
    }
    sandbox.add_fault("bluesky", f"GET /{account.did}", "answer", status=200, body=document)
    with pytest.raises(Misconfigured, match="host_refused"):
        await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=clock)


async def test_a_callback_of_another_issuer_is_refused(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=clock)
    callback = callback_parameters(await give_consent(http, started.url)) | {"iss": "https://evil.example"}
    with pytest.raises(ReauthorisationNeeded, match="issuer_mismatch"):
        await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=clock)


async def test_another_account_than_asked_for_is_refused(
    bluesky: Platform, http: httpx.AsyncClient, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    other = sandbox.bluesky.state.account_of("pub.test")
    assert other is not None
    started = await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, account=other.did))
    with pytest.raises(ReauthorisationNeeded, match="account_changed"):
        await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=clock)


async def test_a_server_cannot_speak_for_an_account_that_is_not_its_own(
    http: httpx.AsyncClient, bluesky: Platform, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    started = await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    elsewhere = {"resource": "x", "authorization_servers": [f"{sandbox.base_urls['bluesky']}/other"]}
    protected = "GET /.well-known/oauth-protected-resource"
    sandbox.add_fault("bluesky", protected, "answer", status=200, body=elsewhere)
    with pytest.raises(PlatformError):
        await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=clock)


async def test_a_refresh_token_works_once_and_its_replay_ends_the_session(
    bluesky: Platform, bluesky_call: Call, bluesky_client: ClientCredentials, clock: FixedClock
) -> None:
    http, first = bluesky_call.http, bluesky_call.grant
    second = await bluesky.refresh(http, bluesky_client, first, clock=clock)
    assert second.refresh_token != first.refresh_token
    assert second.extra == first.extra
    assert second.refresh_expires_at == first.refresh_expires_at
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await bluesky.refresh(http, bluesky_client, first, clock=clock)
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await bluesky.refresh(http, bluesky_client, second, clock=clock)


async def test_a_revoked_session_is_dead(
    bluesky: Platform,
    bluesky_call: Call,
    bluesky_client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
    make_delivery: Callable[..., Delivery],
) -> None:
    await bluesky.revoke(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=clock)
    assert len(sandbox.truth.revocations("bluesky")) == 1
    delivery, journal = make_delivery("Hello"), MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, journal)
    with pytest.raises(ReauthorisationNeeded, match="invalid_token"):
        await bluesky.publish(bluesky_call, delivery, journal)


async def test_a_stale_nonce_costs_one_more_request_and_nothing_else(
    bluesky: Platform, bluesky_call: Call, sandbox: Sandbox, make_delivery: Callable[..., Delivery]
) -> None:
    delivery, journal = make_delivery("Hello"), MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, journal)
    sandbox.bluesky.proofs.forget_nonces()
    await bluesky.publish(bluesky_call, delivery, journal)
    assert sandbox.requests("bluesky", "POST /xrpc/com.atproto.repo.putRecord") == 2
    assert len(sandbox.truth.posts()) == 1


async def test_nonces_that_rotate_with_time_are_followed(
    bluesky: Platform, bluesky_call: Call, bluesky_client: ClientCredentials, clock: FixedClock
) -> None:
    grant = bluesky_call.grant
    for _ in range(3):
        clock.advance(timedelta(minutes=7))
        grant = await bluesky.refresh(bluesky_call.http, bluesky_client, grant, clock=clock)


async def test_a_server_that_never_is_content_with_a_nonce_is_asked_twice_only(
    bluesky: Platform, bluesky_call: Call, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    before = sandbox.requests("bluesky", TOKEN)
    body, headers = {"error": "use_dpop_nonce"}, {"DPoP-Nonce": "again"}
    sandbox.add_fault("bluesky", TOKEN, "answer", status=400, body=body, headers=headers, times=10)
    with pytest.raises(Transient, match="use_dpop_nonce"):
        await bluesky.refresh(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=clock)
    assert sandbox.requests("bluesky", TOKEN) == before + 2


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_that_is_minutes_off_makes_nobody_authorise_again(
    bluesky: Platform,
    http: httpx.AsyncClient,
    bluesky_client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
    make_delivery: Callable[..., Delivery],
    minutes: int,
) -> None:
    ours = FixedClock(clock.now() + timedelta(minutes=minutes))
    started = await bluesky.authorise(http, bluesky_client, state="s", handle="brand.test", clock=ours)
    callback = callback_parameters(await give_consent(http, started.url))
    grant = await bluesky.exchange(http, bluesky_client, callback=callback, kept=started.kept, clock=ours)
    grant = await bluesky.refresh(http, bluesky_client, grant, clock=ours)
    delivery, journal = make_delivery("Hello"), MemoryJournal()
    call = Call(http, ours, grant)
    await bluesky.stage(call, delivery, journal)
    assert isinstance(await bluesky.publish(call, delivery, journal), Published)
    # The first call found the server's clock out; no other was refused for it.
    assert sandbox.requests("bluesky", "POST /xrpc/com.atproto.repo.putRecord") == 1
    assert len(sandbox.truth.posts()) == 1


@pytest.mark.parametrize("date", ["Sun, 22 Nov 2026 10:00:01 GMT", "yesterday", ""])
async def test_a_proof_that_is_refused_for_another_reason_is_an_operators_matter(
    bluesky: Platform,
    bluesky_call: Call,
    bluesky_client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
    date: str,
) -> None:
    before = sandbox.requests("bluesky", TOKEN)
    body, headers = {"error": "invalid_dpop_proof"}, {"Date": date}
    sandbox.add_fault("bluesky", TOKEN, "answer", status=400, body=body, headers=headers, times=10)
    with pytest.raises(Misconfigured, match="clock"):
        await bluesky.refresh(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=clock)
    assert sandbox.requests("bluesky", TOKEN) == before + 1


async def test_a_server_whose_clock_runs_away_is_asked_twice_only(
    bluesky: Platform, bluesky_call: Call, bluesky_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    before = sandbox.requests("bluesky", TOKEN)
    for hour in range(11, 20):
        headers = {"Date": f"Sun, 22 Nov 2026 {hour}:00:00 GMT"}
        body = {"error": "invalid_dpop_proof"}
        sandbox.add_fault("bluesky", TOKEN, "answer", status=400, body=body, headers=headers)
    with pytest.raises(Misconfigured):
        await bluesky.refresh(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=clock)
    assert sandbox.requests("bluesky", TOKEN) == before + 2


async def test_a_token_is_worth_nothing_without_its_key(
    bluesky: Platform, bluesky_call: Call, make_delivery: Callable[..., Delivery]
) -> None:
    thief = replace(bluesky_call.grant, extra=dict(bluesky_call.grant.extra) | {"dpop_key": create_key()})
    delivery, journal = make_delivery("Hello"), MemoryJournal()
    await bluesky.stage(bluesky_call, delivery, journal)
    with pytest.raises(ReauthorisationNeeded):
        await bluesky.publish(replace(bluesky_call, grant=thief), delivery, journal)


async def test_an_error_of_the_authorisation_server_is_told_without_what_it_wrote(
    bluesky: Platform, bluesky_call: Call, bluesky_client: ClientCredentials, sandbox: Sandbox
) -> None:
    body = {"error": "invalid_scope", "error_description": "token=hunter2"}
    sandbox.add_fault("bluesky", TOKEN, "answer", status=400, body=body)
    with pytest.raises(Misconfigured) as caught:
        await bluesky.refresh(bluesky_call.http, bluesky_client, bluesky_call.grant, clock=bluesky_call.clock)
    assert "hunter2" not in str(caught.value)


async def test_a_key_is_never_shown(bluesky_call: Call) -> None:
    assert bluesky_call.grant.extra["dpop_key"].reveal() not in repr(bluesky_call)
    assert '"d"' in bluesky_call.grant.extra["dpop_key"].reveal()


async def test_unregistered_applications_are_an_operators_matter(
    platforms: dict[PlatformName, Platform], sandbox: Sandbox, clock: FixedClock
) -> None:
    stranger = ClientCredentials("https://app.example/client.json", Secret("unused"), "https://app.example/cb")
    async with create_http_client({"127.0.0.1": "bluesky"}) as http:
        with pytest.raises(Misconfigured, match="invalid_client_metadata"):
            await platforms[PlatformName.BLUESKY].authorise(http, stranger, state="s", handle="brand.test", clock=clock)
