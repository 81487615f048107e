"""Getting, renewing and ending a grant at Pinterest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.pinterest.oauth import SCOPES
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials
from sandbox.pinterest.platform import PinterestSandbox
from sandbox.pinterest.state import number_of


async def test_a_consent_becomes_a_grant_for_the_account(call: Call, clock: FixedClock):
    grant = call.grant
    assert grant.account_id == number_of("account", "brand_one")
    assert grant.scopes == SCOPES
    assert grant.expires_at == clock.now() + timedelta(days=30)
    assert grant.refresh_expires_at == clock.now() + timedelta(days=60)


async def test_the_page_is_asked_for_with_commas_between_scopes(
    pinterest: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
):
    started = await pinterest.authorise(http, client, state="state-1", handle=None, clock=clock)
    query = parse_qs(urlsplit(started.url).query)
    assert query["scope"] == [",".join(SCOPES)]
    assert query["redirect_uri"] == [client.redirect_uri]
    assert started.kept == {}


async def test_what_the_person_unticks_is_missing_from_the_grant(connect: Callable[..., Any]):
    call = await connect(scopes=["user_accounts:read", "boards:read"])
    assert call.grant.scopes == ("user_accounts:read", "boards:read")


async def test_a_grant_without_the_account_still_says_which_scope_is_missing(connect: Callable[..., Any]):
    call = await connect(scopes=["boards:read"])
    assert (call.grant.account_id, call.grant.scopes) == ("", ("boards:read",))


async def test_a_refusal_needs_a_new_authorisation(connect: Callable[..., Any]):
    with pytest.raises(ReauthorisationNeeded):
        await connect(decision="deny")


async def test_a_renewal_replaces_both_tokens_and_the_old_ones_are_dead(
    pinterest: Platform, call: Call, client: ClientCredentials, clock: FixedClock
):
    clock.advance(timedelta(days=31))
    renewed = await pinterest.refresh(call.http, client, call.grant, clock=clock)
    assert renewed.account_id == call.grant.account_id
    assert renewed.refresh_token != call.grant.refresh_token
    assert (await pinterest.profile(Call(call.http, clock, renewed))).handle == "brand_one"
    with pytest.raises(ReauthorisationNeeded):
        await pinterest.refresh(call.http, client, call.grant, clock=clock)
    with pytest.raises(ReauthorisationNeeded):
        await pinterest.profile(call)


async def test_an_older_application_keeps_its_refresh_token(
    pinterest: Platform, call: Call, client: ClientCredentials, clock: FixedClock, server: PinterestSandbox
):
    server.state.grants[0].continuous = False
    renewed = await pinterest.refresh(call.http, client, call.grant, clock=clock)
    assert renewed.refresh_token == call.grant.refresh_token
    assert renewed.refresh_expires_at == call.grant.refresh_expires_at


async def test_a_revocation_is_not_confirmed_because_pinterest_does_none_for_people(
    pinterest: Platform, call: Call, client: ClientCredentials, clock: FixedClock
):
    with pytest.raises(Misconfigured, match=r"403\.29"):
        await pinterest.revoke(call.http, client, call.grant, clock=clock)


async def test_a_wrong_secret_is_an_operators_matter_and_is_not_told(
    pinterest: Platform, call: Call, client: ClientCredentials, clock: FixedClock
):
    wrong = ClientCredentials(client.client_id, Secret("not-the-secret"), client.redirect_uri)
    with pytest.raises(Misconfigured) as caught:
        await pinterest.refresh(call.http, wrong, call.grant, clock=clock)
    assert "not-the-secret" not in repr(caught.value)
