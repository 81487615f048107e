"""TikTok's authorisation: hex PKCE, honest errors, rotation, revocation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import Misconfigured, PlatformError, ReauthorisationNeeded, Transient
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials
from platforms.tiktok.oauth import challenge_of
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox

TOKEN = "POST /v2/oauth/token/"


def test_the_challenge_is_hex() -> None:
    verifier = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDEFG"
    assert challenge_of(verifier) == "4c3a770bec0fa3768a0cad4183eba43fbf2767d622a940f64e8443f7a1e86875"


async def test_a_person_who_allows_gives_a_grant(tiktok: Platform, tiktok_call: Call, clock: FixedClock) -> None:
    grant = tiktok_call.grant
    assert grant.account_id == "sandbox-open-id-one"
    assert grant.scopes == tiktok.scopes
    assert grant.expires_at - clock.now() == timedelta(hours=2)
    assert grant.refresh_expires_at is not None
    profile = await tiktok.profile(tiktok_call)
    assert (profile.handle, profile.display_name) == ("brand_one", "Brand One")
    assert profile.union_id


async def test_the_page_is_asked_for_with_commas_challenge_and_consent(
    tiktok: Platform, http: httpx.AsyncClient, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await tiktok.authorise(http, tiktok_client, state="s", handle=None, clock=clock)
    query = parse_qs(urlsplit(started.url).query)
    assert query["scope"] == ["user.info.basic,user.info.profile,video.publish,video.list"]
    assert query["code_challenge"] == [challenge_of(started.kept["code_verifier"].reveal())]
    assert "client_id" not in query


async def test_a_person_who_denies_gives_none(
    tiktok: Platform, http: httpx.AsyncClient, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await tiktok.authorise(http, tiktok_client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, decision="deny"))
    assert callback["state"] == "s"
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await tiktok.exchange(http, tiktok_client, callback=callback, kept=started.kept, clock=clock)


async def test_a_narrower_grant_is_told_as_it_is_and_still_shows_a_profile(
    tiktok: Platform, http: httpx.AsyncClient, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await tiktok.authorise(http, tiktok_client, state="s", handle=None, clock=clock)
    location = await give_consent(http, started.url, scopes=["user.info.basic"])
    grant = await tiktok.exchange(
        http, tiktok_client, callback=callback_parameters(location), kept=started.kept, clock=clock
    )
    assert grant.scopes == ("user.info.basic",)
    profile = await tiktok.profile(Call(http, clock, grant))
    assert profile.handle == "Brand One"


async def test_a_code_works_once(
    tiktok: Platform, http: httpx.AsyncClient, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await tiktok.authorise(http, tiktok_client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    await tiktok.exchange(http, tiktok_client, callback=callback, kept=started.kept, clock=clock)
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await tiktok.exchange(http, tiktok_client, callback=callback, kept=started.kept, clock=clock)


async def test_a_refresh_replaces_both_tokens_and_kills_the_old_one(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    http, first = tiktok_call.http, tiktok_call.grant
    second = await tiktok.refresh(http, tiktok_client, first, clock=clock)
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token
    await tiktok.profile(replace(tiktok_call, grant=second))
    with pytest.raises(ReauthorisationNeeded, match="access_token_invalid"):
        await tiktok.profile(tiktok_call)
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await tiktok.refresh(http, tiktok_client, first, clock=clock)


async def test_a_refresh_after_its_life_needs_the_person(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=181))
    with pytest.raises(ReauthorisationNeeded):
        await tiktok.refresh(tiktok_call.http, tiktok_client, tiktok_call.grant, clock=clock)


async def test_a_revoked_grant_is_dead(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    await tiktok.revoke(tiktok_call.http, tiktok_client, tiktok_call.grant, clock=clock)
    assert [entry.account_id for entry in sandbox.truth.revocations("tiktok")] == ["sandbox-open-id-one"]
    with pytest.raises(ReauthorisationNeeded):
        await tiktok.profile(tiktok_call)


async def test_a_revocation_without_confirmation_is_an_error(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", "POST /v2/oauth/revoke/", "answer", status=503)
    with pytest.raises(Transient):
        await tiktok.revoke(tiktok_call.http, tiktok_client, tiktok_call.grant, clock=clock)


OAUTH_ROWS: list[tuple[str, type[PlatformError]]] = [
    ("invalid_grant", ReauthorisationNeeded),
    ("access_denied", ReauthorisationNeeded),
    ("server_error", Transient),
    ("temporarily_unavailable", Transient),
    ("invalid_client", Misconfigured),
    ("invalid_request", Misconfigured),
    ("invalid_scope", Misconfigured),
    ("unauthorized_client", Misconfigured),
    ("unsupported_grant_type", Misconfigured),
    ("unsupported_response_type", Misconfigured),
]


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("code", "expected"), OAUTH_ROWS)
async def test_every_oauth_error_has_its_kind_whatever_the_status(
    tiktok: Platform,
    tiktok_call: Call,
    tiktok_client: ClientCredentials,
    sandbox: Sandbox,
    status: int,
    code: str,
    expected: type[PlatformError],
) -> None:
    body = {"error": code, "error_description": "secret=hunter2", "log_id": "20261122ABC"}
    sandbox.add_fault("tiktok", TOKEN, "answer", status=status, body=body)
    with pytest.raises(expected) as caught:
        await tiktok.refresh(tiktok_call.http, tiktok_client, tiktok_call.grant, clock=tiktok_call.clock)
    assert caught.value.code == code
    assert "20261122ABC" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_a_lost_answer_to_a_refresh_can_be_tried_once_more(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials, sandbox: Sandbox
) -> None:
    sandbox.add_fault("tiktok", TOKEN, "reset_before")
    http, clock, grant = tiktok_call.http, tiktok_call.clock, tiktok_call.grant
    with pytest.raises(Transient):
        await tiktok.refresh(http, tiktok_client, grant, clock=clock)
    await tiktok.refresh(http, tiktok_client, grant, clock=clock)


async def test_no_token_is_in_any_message(
    tiktok: Platform, tiktok_call: Call, tiktok_client: ClientCredentials
) -> None:
    wrong = replace(tiktok_client, client_secret=Secret("hunter2"))
    with pytest.raises(Misconfigured) as caught:
        await tiktok.refresh(tiktok_call.http, wrong, tiktok_call.grant, clock=tiktok_call.clock)
    told = repr(caught.value) + str(caught.value) + repr(tiktok_call.grant)
    assert "hunter2" not in told
    assert tiktok_call.grant.access_token.reveal() not in told
