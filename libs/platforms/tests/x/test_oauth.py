"""Getting, renewing and ending a grant: PKCE, single-use refresh tokens, a code of thirty seconds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from kit.secret import Secret
from platforms.errors import Misconfigured, ReauthorisationNeeded, Transient
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials
from platforms.tokens import challenge_of
from platforms.x.oauth import SCOPES
from sandbox.consent import callback_parameters, give_consent
from sandbox.server import Sandbox
from sandbox.x.platform import XSandbox

TOKEN = "POST /2/oauth2/token"


def test_the_challenge_of_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_the_page_is_asked_for_as_x_wants_it(
    x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await x.authorise(http, x_client, state="s", handle=None, clock=clock)
    query = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    assert urlsplit(started.url).path == "/i/oauth2/authorize"
    assert query.pop("code_challenge") == challenge_of(started.kept["code_verifier"].reveal())
    assert query == {
        "response_type": "code",
        "client_id": "sandbox-client-id",
        "redirect_uri": x_client.redirect_uri,
        "scope": "tweet.read tweet.write users.read media.write offline.access",
        "state": "s",
        "code_challenge_method": "S256",
    }


async def test_a_grant_knows_its_account_its_scopes_and_its_ends(x: Platform, call: Call, clock: FixedClock) -> None:
    grant = call.grant
    assert (grant.account_id, grant.scopes) == ("2244994945", SCOPES)
    assert grant.expires_at == clock.now() + timedelta(hours=2)
    profile = await x.profile(call)
    assert (profile.account_id, profile.handle, profile.display_name) == ("2244994945", "brand_one", "Brand One")
    assert profile.avatar_url
    assert profile.account_type is None
    assert list(await x.accounts(call)) == [profile]


async def test_what_the_person_unticks_is_not_in_the_grant(
    x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await x.authorise(http, x_client, state="s", handle=None, clock=clock)
    ticked = ["tweet.read", "users.read"]
    callback = callback_parameters(await give_consent(http, started.url, account="2244994946", scopes=ticked))
    grant = await x.exchange(http, x_client, callback=callback, kept=started.kept, clock=clock)
    assert (grant.account_id, grant.scopes, grant.refresh_token) == ("2244994946", tuple(ticked), None)
    with pytest.raises(ReauthorisationNeeded, match="no_refresh_token"):
        await x.refresh(http, x_client, grant, clock=clock)


async def test_a_code_lives_thirty_seconds_and_works_once(
    x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await x.authorise(http, x_client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    clock.advance(timedelta(seconds=30))
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await x.exchange(http, x_client, callback=callback, kept=started.kept, clock=clock)


async def test_refusals_on_the_way_back(
    x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock
) -> None:
    started = await x.authorise(http, x_client, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url, decision="deny"))
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await x.exchange(http, x_client, callback=callback, kept=started.kept, clock=clock)
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await x.exchange(http, x_client, callback={}, kept=started.kept, clock=clock)
    wrong = replace(x_client, client_secret=Secret("wrong"))
    callback = callback_parameters(await give_consent(http, started.url))
    with pytest.raises(Misconfigured, match="unauthorized_client"):
        await x.exchange(http, wrong, callback=callback, kept=started.kept, clock=clock)


async def test_a_public_client_names_itself_in_the_form(
    x: Platform, http: httpx.AsyncClient, x_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    sandbox.of(XSandbox).register_client({"client_id": "public", "public": True})
    public = replace(x_client, client_id="public", client_secret=None)
    started = await x.authorise(http, public, state="s", handle=None, clock=clock)
    callback = callback_parameters(await give_consent(http, started.url))
    grant = await x.exchange(http, public, callback=callback, kept=started.kept, clock=clock)
    assert (await x.refresh(http, public, grant, clock=clock)).access_token != grant.access_token


async def test_tokens_rotate_and_the_old_ones_are_dead(
    x: Platform, call: Call, x_client: ClientCredentials, clock: FixedClock
) -> None:
    renewed = await x.refresh(call.http, x_client, call.grant, clock=clock)
    assert (renewed.account_id, renewed.scopes, renewed.extra) == (
        call.grant.account_id,
        call.grant.scopes,
        call.grant.extra,
    )
    assert renewed.refresh_token != call.grant.refresh_token
    with pytest.raises(ReauthorisationNeeded, match="unauthorized"):
        await x.profile(call)
    assert (await x.profile(replace(call, grant=renewed))).handle == "brand_one"
    # Using the old one looks like theft, and ends the new ones as well.
    with pytest.raises(ReauthorisationNeeded, match="invalid_grant"):
        await x.refresh(call.http, x_client, call.grant, clock=clock)
    with pytest.raises(ReauthorisationNeeded):
        await x.profile(replace(call, grant=renewed))


async def test_a_renewal_without_an_answer_is_ambiguous_and_holds_no_token(
    x: Platform, call: Call, x_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    sandbox.add_fault("x", TOKEN, "reset_after")
    with pytest.raises(Transient) as caught:
        await x.refresh(call.http, x_client, call.grant, clock=clock)
    assert call.grant.refresh_token is not None
    assert call.grant.refresh_token.reveal() not in str(caught.value)
    with pytest.raises(ReauthorisationNeeded):
        await x.refresh(call.http, x_client, call.grant, clock=clock)


async def test_an_access_token_ends_after_two_hours(x: Platform, call: Call, clock: FixedClock) -> None:
    clock.advance(timedelta(hours=2))
    with pytest.raises(ReauthorisationNeeded, match="unauthorized"):
        await x.profile(call)


async def test_revoking_is_confirmed_once(
    x: Platform, call: Call, x_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    await x.revoke(call.http, x_client, call.grant, clock=clock)
    (told,) = sandbox.truth.revocations("x")
    assert told.account_id == "2244994945"
    with pytest.raises(ReauthorisationNeeded):
        await x.profile(call)
    with pytest.raises(ReauthorisationNeeded):
        await x.refresh(call.http, x_client, call.grant, clock=clock)


async def test_revoking_that_x_does_not_confirm_is_an_error(
    x: Platform, call: Call, x_client: ClientCredentials, clock: FixedClock, sandbox: Sandbox
) -> None:
    sandbox.add_fault("x", "POST /2/oauth2/revoke", "answer", status=503)
    with pytest.raises(Transient):
        await x.revoke(call.http, x_client, call.grant, clock=clock)
    # Either token ends the whole grant, so a lost answer to the second one changes nothing.
    sandbox.add_fault(
        "x",
        "POST /2/oauth2/revoke",
        "answer_after",
        status=400,
        skip=1,
        body={"error": "invalid_request", "error_description": "Value passed for the token was invalid."},
    )
    await x.revoke(call.http, x_client, call.grant, clock=clock)
    assert len(sandbox.truth.revocations("x")) == 1
