"""Passkeys: registered, as a second factor, alone, for presence; and every lie about one refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import playwright.async_api
import pytest
from auth.domain.presence import RECENT
from auth.domain.second_factors import CEREMONY_LIFETIME, PASSKEYS_MAX
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX

from services.auth.tests.authenticator import Authenticator
from services.auth.tests.browser import open_browser
from services.auth.tests.client import ELSEWHERE, HOME, Auth, Superuser
from services.auth.tests.conftest import StartAuth

ORIGIN = "https://signoff.example"


@pytest.fixture
async def auth(start: StartAuth) -> AsyncIterator[Auth]:
    async with start(PUBLIC_URL=f"{ORIGIN}/") as running_auth:
        await running_auth.sign_up()
        yield running_auth


async def register(auth: Auth, authenticator: Authenticator, token: str) -> httpx.Response:
    headers = await auth.headers(token)
    begun = await auth.ask("POST", "/api/account/passkeys/options", headers=headers, expect=201)
    body = {"ceremony": begun["ceremony"], "name": "Telephone", "passkey": authenticator.create(begun["public_key"])}
    return await auth.http.post("/api/account/passkeys", json=body, headers=headers)


async def enrolled(auth: Auth, **traits: Any) -> tuple[Authenticator, str]:
    """A registered passkey, and the session it was registered in."""
    authenticator = Authenticator(ORIGIN, **traits)
    answer = await register(auth, authenticator, await auth.sign_in(place=HOME))
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["recovery_codes"]) == 10
    return authenticator, answer.json()["session_token"]


async def begin_alone(auth: Auth) -> dict[str, Any]:
    begun: dict[str, Any] = await auth.ask("POST", "/api/session/passkey/options", expect=201)
    return begun


async def finish_alone(auth: Auth, ceremony: str, passkey: Any) -> httpx.Response:
    body = {"ceremony": ceremony, "passkey": passkey}
    return await auth.http.post("/api/session/passkey", json=body, headers=auth.through_gateway(HOME))


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)


async def test_a_passkey_is_a_second_factor(auth: Auth):
    authenticator, _ = await enrolled(auth)
    wanted = (await auth.try_sign_in(place=HOME)).json()["second_factor"]
    assert wanted["methods"] == ["passkey", "recovery_code"]
    assert wanted["public_key"]["userVerification"] == "required"
    body = {"pending": wanted["pending"], "passkey": authenticator.get(wanted["public_key"])}
    answer = await auth.http.post("/api/session/second-factor", json=body)
    assert answer.status_code == 201
    assert (await auth.ask_passport(answer.json()["session_token"])).status_code == 200


async def test_a_passkey_signs_in_alone(auth: Auth):
    authenticator, _ = await enrolled(auth)
    begun = await begin_alone(auth)
    assert begun["public_key"]["allowCredentials"] == []
    passkey = authenticator.get(begun["public_key"])
    answer = await finish_alone(auth, begun["ceremony"], passkey)
    assert answer.status_code == 201
    headers = await auth.headers(answer.json()["session_token"])
    assert (await auth.ask("GET", "/api/account", headers=headers))["email"] == "owner@example.com"
    [session, _] = (await auth.ask("GET", "/api/account/sessions", headers=headers))["sessions"]
    assert session["strong"]
    assert problem(await finish_alone(auth, begun["ceremony"], passkey)) == (401, "ceremony-over")


async def test_a_passkey_proves_presence(auth: Auth, clock: MovableClock):
    authenticator, token = await enrolled(auth)
    clock.advance(RECENT)
    headers = await auth.headers(token)
    begun = await auth.ask("POST", "/api/session/presence/options", headers=headers, expect=201)
    body = {"ceremony": begun["ceremony"], "passkey": authenticator.get(begun["public_key"])}
    proved = await auth.ask("POST", "/api/session/presence", body, headers, expect=201)
    headers = await auth.headers(proved["session_token"])
    [shown] = (await auth.ask("GET", "/api/account/second-factors", headers=headers))["passkeys"]
    assert (shown["name"], shown["last_used_at"] is not None) == ("Telephone", True)
    assert (await auth.http.delete(f"/api/account/passkeys/{shown['passkey_id']}", headers=headers)).status_code == 204
    assert (await auth.try_sign_in()).status_code == 201


@pytest.mark.promise("P97")
async def test_an_answer_for_another_site_challenge_or_key_is_refused(auth: Auth):
    authenticator, _ = await enrolled(auth)
    other_key = Authenticator(ORIGIN, credential_id=authenticator.credential_id)
    unknown_key = Authenticator(ORIGIN)
    elsewhere = Authenticator("https://signoff.example.evil", key=authenticator.key)
    elsewhere.credential_id = authenticator.credential_id
    unverified = Authenticator(ORIGIN, key=authenticator.key, verifies=False)
    unverified.credential_id = authenticator.credential_id
    for liar in (other_key, unknown_key, elsewhere, unverified):
        begun = await begin_alone(auth)
        refused = await finish_alone(auth, begun["ceremony"], liar.get(begun["public_key"]))
        assert problem(refused) == (403, "passkey-refused")
    begun, earlier = await begin_alone(auth), await begin_alone(auth)
    refused = await finish_alone(auth, begun["ceremony"], authenticator.get(earlier["public_key"]))
    assert problem(refused) == (403, "passkey-refused")
    options = begun["public_key"] | {"rpId": "example.evil"}
    refused = await finish_alone(auth, begun["ceremony"], authenticator.get(options))
    assert problem(refused) == (403, "passkey-refused")
    for nonsense in ({}, {"rawId": 7}, {"rawId": "=!"}, authenticator.get(begun["public_key"]) | {"response": {}}):
        assert problem(await finish_alone(auth, begun["ceremony"], nonsense)) == (403, "passkey-refused")
    assert (await finish_alone(auth, begun["ceremony"], authenticator.get(begun["public_key"]))).status_code == 201


async def test_a_copied_passkey_shows_by_its_count(auth: Auth):
    authenticator, _ = await enrolled(auth)
    for count, status in ((5, 201), (5, 403), (4, 403), (6, 201)):
        authenticator.sign_count = count - 1
        begun = await begin_alone(auth)
        answer = await finish_alone(auth, begun["ceremony"], authenticator.get(begun["public_key"]))
        assert answer.status_code == status


async def test_a_challenge_is_good_for_one_purpose_and_for_minutes(auth: Auth, clock: MovableClock):
    authenticator, token = await enrolled(auth)
    headers = await auth.headers(token)
    presence = await auth.ask("POST", "/api/session/presence/options", headers=headers, expect=201)
    refused = await finish_alone(auth, presence["ceremony"], authenticator.get(presence["public_key"]))
    assert problem(refused) == (401, "ceremony-over")
    begun = await begin_alone(auth)
    clock.advance(CEREMONY_LIFETIME)
    refused = await finish_alone(auth, begun["ceremony"], authenticator.get(begun["public_key"]))
    assert problem(refused) == (401, "ceremony-over")


async def test_anothers_passkey_is_no_second_factor_here(auth: Auth):
    await enrolled(auth)
    await auth.sign_up("other@example.com")
    stranger = Authenticator(ORIGIN)
    await register(auth, stranger, await auth.sign_in("other@example.com"))
    wanted = (await auth.try_sign_in(place=ELSEWHERE)).json()["second_factor"]
    body = {"pending": wanted["pending"], "passkey": stranger.get(wanted["public_key"])}
    assert problem(await auth.http.post("/api/session/second-factor", json=body)) == (403, "passkey-refused")


async def test_a_registration_without_verified_user_or_for_another_site_is_refused(auth: Auth):
    token = await auth.sign_in()
    for liar in (Authenticator(ORIGIN, verifies=False), Authenticator("https://signoff.example.evil")):
        assert problem(await register(auth, liar, token)) == (403, "passkey-refused")
    headers = await auth.headers(token)
    shown = await auth.ask("GET", "/api/account/second-factors", headers=headers)
    assert shown == {"authenticator_app": False, "passkeys": [], "recovery_codes_left": 0}


async def test_a_passkey_is_registered_once_and_not_without_limit(auth: Auth, superuser: Superuser):
    authenticator, token = await enrolled(auth)
    assert problem(await register(auth, authenticator, token)) == (409, "passkey-known")
    headers = await auth.headers(token)
    begun = await auth.ask("POST", "/api/account/passkeys/options", headers=headers, expect=201)
    assert [each["id"] for each in begun["public_key"]["excludeCredentials"]] == [
        authenticator.get({"rpId": "x", "challenge": begun["public_key"]["challenge"]})["id"]
    ]
    superuser.execute(
        "INSERT INTO passkey SELECT gen_random_uuid(), account_id, sha256(n::text::bytea), public_key, 0, false, 'x',"
        " created_at FROM passkey, generate_series(2, %s) n",
        (PASSKEYS_MAX,),
    )
    refused = await auth.http.post("/api/account/passkeys/options", headers=headers)
    assert problem(refused) == (409, "too-many-passkeys")


@pytest.mark.parametrize("public_url", ["", "http://127.0.0.1:8000"])
async def test_without_a_domain_there_are_no_passkeys(start: StartAuth, public_url: str):
    async with start(PUBLIC_URL=public_url) as auth:
        answer = await auth.http.post("/api/session/passkey/options")
        assert problem(answer) == (409, "passkeys-not-offered")


async def test_a_real_browser_makes_a_passkey_and_signs_in_with_it(auth: Auth):
    async with open_browser(ORIGIN) as browser:
        headers = await auth.headers(await auth.sign_in(place=HOME))
        begun = await auth.ask("POST", "/api/account/passkeys/options", headers=headers, expect=201)
        body = {"ceremony": begun["ceremony"], "name": "Laptop", "passkey": await browser.create(begun["public_key"])}
        await auth.ask("POST", "/api/account/passkeys", body, headers, expect=201)
        for _ in range(2):
            alone = await begin_alone(auth)
            answer = await finish_alone(auth, alone["ceremony"], await browser.get(alone["public_key"]))
            assert answer.status_code == 201
        wanted = (await auth.try_sign_in(place=HOME)).json()["second_factor"]
        body = {"pending": wanted["pending"], "passkey": await browser.get(wanted["public_key"])}
        await auth.ask("POST", "/api/session/second-factor", body, expect=201)
        headers = await auth.headers(answer.json()["session_token"])
        again = await auth.ask("POST", "/api/account/passkeys/options", headers=headers, expect=201)
        with pytest.raises(playwright.async_api.Error, match="InvalidStateError"):
            await browser.create(again["public_key"])
