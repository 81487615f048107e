"""Authorisation at LinkedIn, and the authors that it opens."""

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
from platforms import grants
from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.linkedin.oauth import SCOPES
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials
from sandbox.linkedin.platform import LinkedInSandbox
from sandbox.linkedin.state import Organisation, Person
from sandbox.server import Sandbox

from libs.platforms.tests.linkedin.conftest import ORGANISATION

SECOND = Organisation("brand-two", "Brand Two").urn
ADS = Organisation("brand-ads", "Brand Ads").urn


async def test_the_person_is_asked_for_the_scopes_with_spaces(
    linkedin: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
):
    started = await linkedin.authorise(http, client, state="a b", handle=None, clock=clock)
    assert "+" not in started.url
    query = parse_qs(urlsplit(started.url).query)
    assert query["scope"] == [" ".join(SCOPES)]
    assert (query["state"], query["redirect_uri"]) == (["a b"], [client.redirect_uri])


async def test_one_authorisation_opens_the_person_and_their_organisations(linkedin: Platform, member: Call):
    profiles = await linkedin.accounts(member)
    person = Person("brand_one").urn
    assert [profile.account_id for profile in profiles] == [person, ORGANISATION, SECOND]
    assert [profile.account_type for profile in profiles] == ["member", "organization", "organization"]
    assert {profile.union_id for profile in profiles} == {person}
    assert profiles[1].display_name == "Brand One"
    assert member.grant.account_id == person
    assert member.grant.expires_at - member.clock.now() == timedelta(days=60)
    assert member.grant.scopes == SCOPES


async def test_a_grant_for_an_organisation_shows_it_and_survives_being_kept(linkedin: Platform, organisation: Call):
    kept = grants.load(grants.dump(organisation.grant, with_refresh=False))
    call = replace(organisation, grant=kept)
    profile = await linkedin.profile(call)
    assert (profile.account_id, profile.handle) == (ORGANISATION, "brand-one")
    assert (await linkedin.accounts(call))[0].account_id == Person("brand_one").urn


@pytest.mark.parametrize("account_id", [ADS, "urn:li:organization:1", "urn:li:person:x"])
async def test_nobody_acts_for_what_the_person_may_not_post_for(linkedin: Platform, member: Call, account_id: str):
    with pytest.raises(ReauthorisationNeeded, match="organisation_lost"):
        await linkedin.act_for(member, account_id)


async def test_without_the_persons_own_permission_the_first_organisation_is_meant(connect: Callable[..., Any]):
    call = await connect(scopes=[scope for scope in SCOPES if scope != "w_member_social"])
    assert call.grant.account_id == ORGANISATION


async def test_the_other_product_tells_who_the_person_is_too(linkedin: Platform, member: Call, server: LinkedInSandbox):
    scopes = ("openid", "profile", "w_member_social")
    server.state.grants[0].scopes = scopes
    (profile,) = await linkedin.accounts(replace(member, grant=replace(member.grant, scopes=scopes)))
    assert (profile.account_id, profile.display_name) == (member.grant.account_id, "Olive One")
    assert profile.avatar_url


async def test_a_refusal_is_told(
    linkedin: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
):
    callback = {"error": "user_cancelled_authorize", "state": "state-1"}
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await linkedin.exchange(http, client, callback=callback, kept={}, clock=clock)


async def test_renewing_keeps_the_author_and_does_not_lengthen_the_year(
    linkedin: Platform, organisation: Call, client: ClientCredentials, clock: FixedClock
):
    before = organisation.grant
    clock.advance(timedelta(days=50))
    after = await linkedin.refresh(organisation.http, client, before, clock=clock)
    assert after.access_token.reveal() != before.access_token.reveal()
    assert (after.account_id, after.extra, after.scopes) == (before.account_id, before.extra, before.scopes)
    assert after.refresh_expires_at == before.refresh_expires_at
    clock.advance(timedelta(days=320))
    with pytest.raises(ReauthorisationNeeded, match="invalid_request"):
        await linkedin.refresh(organisation.http, client, after, clock=clock)


async def test_an_application_that_is_not_approved_gets_nothing_to_renew_with(
    linkedin: Platform,
    connect: Callable[..., Any],
    client: ClientCredentials,
    clock: FixedClock,
    server: LinkedInSandbox,
):
    server.register_client({"approved": False})
    call = await connect()
    assert (call.grant.refresh_token, call.grant.refresh_expires_at) == (None, None)
    with pytest.raises(ReauthorisationNeeded, match="no_refresh_token"):
        await linkedin.refresh(call.http, client, call.grant, clock=clock)


async def test_a_wrong_secret_is_our_own_fault(
    linkedin: Platform, member: Call, client: ClientCredentials, clock: FixedClock
):
    with pytest.raises(Misconfigured, match="invalid_client"):
        await linkedin.refresh(member.http, replace(client, client_secret=Secret("other")), member.grant, clock=clock)


async def test_revoking_ends_the_token(
    linkedin: Platform, member: Call, client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
):
    await linkedin.revoke(member.http, client, member.grant, clock=clock)
    assert [entry.account_id for entry in sandbox.truth.revocations("linkedin")] == [member.grant.account_id]
    with pytest.raises(ReauthorisationNeeded, match="REVOKED_ACCESS_TOKEN"):
        await linkedin.profile(member)


async def test_a_revocation_that_had_no_effect_is_not_believed(
    linkedin: Platform, member: Call, client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
):
    sandbox.add_fault("linkedin", "POST /oauth/v2/revoke", "answer", status=200)
    with pytest.raises(Misconfigured, match="still_active"):
        await linkedin.revoke(member.http, client, member.grant, clock=clock)


async def test_an_expired_token_says_so(linkedin: Platform, member: Call, clock: FixedClock):
    clock.advance(timedelta(days=61))
    with pytest.raises(ReauthorisationNeeded, match="EXPIRED_ACCESS_TOKEN"):
        await linkedin.accounts(member)
