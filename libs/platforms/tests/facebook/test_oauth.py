"""Facebook Login: a person's grant becomes one for each Page, is renewed, and ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.clock import FixedClock
from platforms.errors import Misconfigured, ReauthorisationNeeded
from platforms.facebook.oauth import SCOPES
from platforms.platform import Platform
from platforms.shape import Call, ClientCredentials, Grant
from sandbox.consent import callback_parameters, give_consent
from sandbox.facebook.platform import FacebookSandbox
from sandbox.meta.tokens import PASSWORD_CHANGED
from sandbox.server import Sandbox

Connect = Callable[..., Awaitable[Grant]]
PERSON, ONE, TWO, OF_BUSINESS = "10220000000000001", "101000000000001", "101000000000002", "101000000000003"


async def test_the_dialog_is_asked_for_what_is_needed(
    facebook: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    started = await facebook.authorise(http, client, state="s 1", handle=None, clock=clock)
    parts, query = urlsplit(started.url), parse_qs(urlsplit(started.url).query)
    assert parts.path == "/v26.0/dialog/oauth"
    assert set(query["scope"][0].split(",")) >= set(SCOPES)
    assert (query["state"], query["response_type"]) == (["s 1"], ["code"])
    assert query["redirect_uri"] == [client.redirect_uri]


async def test_one_authorisation_opens_every_page_that_may_be_posted_to(
    facebook: Platform, call: Call, imitated: FacebookSandbox
) -> None:
    imitated.register_account({"name": "Read only", "tasks": ["ANALYZE"]})
    profiles = await facebook.accounts(call)
    assert [profile.account_id for profile in profiles] == [ONE, TWO, OF_BUSINESS]
    assert (profiles[1].handle, profiles[1].display_name, profiles[1].union_id) == ("brand.two", "Brand Two", PERSON)
    assert profiles[0] == await facebook.profile(call)


async def test_a_list_of_many_pages_is_read_to_its_end(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, clock: FixedClock, imitated: FacebookSandbox
) -> None:
    for number in range(230):
        imitated.register_account({"name": f"Page {number}", "page_id": f"20200000000{number:04d}"})
    call = Call(http, clock, await connect())
    assert len(await facebook.accounts(call)) == 233
    last = await facebook.act_for(call, "202000000000229")
    assert (await facebook.profile(Call(http, clock, last))).display_name == "Page 229"


async def test_a_grant_for_one_page_has_no_other_pages_token(
    facebook: Platform, call: Call, http: httpx.AsyncClient
) -> None:
    narrowed = await facebook.act_for(call, TWO)
    assert (narrowed.account_id, narrowed.scopes) == (TWO, call.grant.scopes)
    assert "pages" in call.grant.extra
    assert "pages" not in narrowed.extra
    assert "pages" not in (await facebook.act_for(call, ONE)).extra
    with pytest.raises(ReauthorisationNeeded, match="page_lost"):
        await facebook.act_for(Call(http, call.clock, narrowed), ONE)
    with pytest.raises(ReauthorisationNeeded, match="page_lost"):
        await facebook.act_for(call, "999")


async def test_who_ticked_too_little_gets_a_grant_that_says_so(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    grant = await connect(scopes=["pages_manage_posts"])
    assert grant.scopes == ("pages_manage_posts",)
    await facebook.revoke(http, client, grant, clock=clock)


async def test_what_was_ticked_once_stays_granted_when_connecting_again(connect: Connect) -> None:
    await connect()
    assert set((await connect(scopes=["pages_show_list"])).scopes) >= set(SCOPES)


async def test_without_business_management_the_rest_opens(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, clock: FixedClock
) -> None:
    call = Call(http, clock, await connect(scopes=list(SCOPES)))
    assert [profile.account_id for profile in await facebook.accounts(call)] == [ONE, TWO]


async def test_who_has_no_page_is_told_so_and_nothing_is_kept(
    connect: Connect, imitated: FacebookSandbox, sandbox: Sandbox
) -> None:
    imitated.state.pages.clear()
    with pytest.raises(ReauthorisationNeeded, match="no_page"):
        await connect()
    assert len(sandbox.truth.revocations("facebook")) == 1


async def test_a_refusal_and_a_used_code_are_told_apart(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    with pytest.raises(ReauthorisationNeeded, match="access_denied"):
        await connect(decision="deny")
    with pytest.raises(ReauthorisationNeeded, match="code_missing"):
        await facebook.exchange(http, client, callback={}, kept={}, clock=clock)
    with pytest.raises(ReauthorisationNeeded, match="36009") as caught:
        await facebook.exchange(http, client, callback={"code": "AQused#_=_"}, kept={}, clock=clock)
    assert "AQused" not in str(caught.value)


async def test_a_code_is_good_for_its_own_redirect_address_only(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    other = ClientCredentials(client.client_id, client.client_secret, "http://127.0.0.1:8000/elsewhere")
    code = await _code(facebook, http, client, clock)
    with pytest.raises(ReauthorisationNeeded):
        await facebook.exchange(http, other, callback={"code": code}, kept={}, clock=clock)


async def test_no_secret_is_ever_part_of_an_address(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, client: ClientCredentials
) -> None:
    addresses: list[str] = []

    async def note(request: httpx.Request) -> None:
        addresses.append(str(request.url))

    http.event_hooks["request"].append(note)
    grant = await connect()
    assert client.client_secret is not None
    for secret in (client.client_secret, grant.access_token, grant.refresh_token):
        assert secret is not None
        assert not [address for address in addresses if secret.reveal() in address]
    assert grant.access_token.reveal() not in repr(grant)


async def test_renewing_reads_the_pages_token_again(
    facebook: Platform, call: Call, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    grant = await facebook.act_for(call, TWO)
    clock.advance(timedelta(days=50))
    renewed = await facebook.refresh(http, client, grant, clock=clock)
    assert (renewed.account_id, renewed.scopes) == (TWO, grant.scopes)
    assert renewed.access_token != grant.access_token
    assert renewed.expires_at == clock.now() + timedelta(days=60)
    assert (await facebook.profile(Call(http, clock, renewed))).account_id == TWO
    whole = await facebook.refresh(http, client, call.grant, clock=clock)
    assert (await facebook.act_for(Call(http, clock, whole), OF_BUSINESS)).account_id == OF_BUSINESS


async def test_a_page_outlives_the_persons_token(
    facebook: Platform, call: Call, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=70))
    renewed = await facebook.refresh(http, client, call.grant, clock=clock)
    assert renewed.access_token == call.grant.access_token
    assert renewed.expires_at == clock.now() + timedelta(days=60)


@pytest.mark.parametrize("subcode", [458, PASSWORD_CHANGED])
async def test_a_dead_grant_cannot_be_renewed(
    facebook: Platform,
    call: Call,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    imitated: FacebookSandbox,
    subcode: int,
) -> None:
    imitated.withdraw(PERSON, subcode=subcode)
    with pytest.raises(ReauthorisationNeeded, match=f"190.{subcode}"):
        await facebook.refresh(http, client, call.grant, clock=call.clock)
    with pytest.raises(ReauthorisationNeeded, match=f"190.{subcode}"):
        await facebook.profile(call)


async def test_a_page_that_was_taken_away_is_lost_when_renewing(
    facebook: Platform, call: Call, http: httpx.AsyncClient, client: ClientCredentials, imitated: FacebookSandbox
) -> None:
    imitated.state.pages[ONE].tasks = ["ANALYZE"]
    with pytest.raises(ReauthorisationNeeded, match="page_lost"):
        await facebook.refresh(http, client, call.grant, clock=call.clock)


async def test_revoking_ends_every_token_and_works_with_dead_ones(
    facebook: Platform,
    call: Call,
    http: httpx.AsyncClient,
    client: ClientCredentials,
    clock: FixedClock,
    sandbox: Sandbox,
) -> None:
    sandbox.of(FacebookSandbox).expire_access_tokens()
    other = await facebook.act_for(call, TWO)
    await facebook.revoke(http, client, call.grant, clock=clock)
    assert [entry.account_id for entry in sandbox.truth.revocations("facebook")] == [PERSON]
    with pytest.raises(ReauthorisationNeeded):
        await facebook.profile(Call(http, clock, other))


async def test_credentials_that_are_missing_or_wrong_are_an_operators_affair(
    facebook: Platform, connect: Connect, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock
) -> None:
    nothing = ClientCredentials(client.client_id, None, client.redirect_uri)
    with pytest.raises(Misconfigured, match="client_secret_missing"):
        await facebook.exchange(http, nothing, callback={"code": "AQ"}, kept={}, clock=clock)
    unknown = ClientCredentials("nobody", client.client_secret, client.redirect_uri)
    with pytest.raises(Misconfigured, match="101"):
        await facebook.exchange(http, unknown, callback={"code": "AQ"}, kept={}, clock=clock)


async def _code(facebook: Platform, http: httpx.AsyncClient, client: ClientCredentials, clock: FixedClock) -> str:
    started = await facebook.authorise(http, client, state="s", handle=None, clock=clock)
    return callback_parameters(await give_consent(http, started.url))["code"]
