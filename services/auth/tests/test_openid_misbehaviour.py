"""What a provider must not get away with, said by a stand-in that says anything."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import psycopg
import pytest
from auth.adapters.openid_issuer import ASK_KEYS_AGAIN, BELIEVED
from auth.adapters.openid_settings import OpenIdSettings
from auth.domain.openid import SKEW_SECONDS
from auth.main import create_app
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from kit.clock import MovableClock
from kit.problems import TYPE_PREFIX
from kit.settings import Environment, SettingError

from services.auth.tests.client import PASSWORD, Auth, sign_up_body
from services.auth.tests.conftest import StartAuth
from services.auth.tests.openid_browser import PUBLIC_URL
from services.auth.tests.openid_stand_in import CLIENT_ID, StandIn
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]
CLIENT_SECRET = "only-in-tests-but-long"
BROWSER = {"X-Signoff-Browser": secrets.token_urlsafe(32)}


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def trusting(environment: dict[str, str], provider: StandIn) -> dict[str, str]:
    return environment | {
        "PUBLIC_URL": PUBLIC_URL,
        "OPENID_PROVIDERS": "odd",
        "OPENID_ODD_ISSUER": provider.issuer,
        "OPENID_ODD_CLIENT_ID": CLIENT_ID,
        "OPENID_ODD_CLIENT_SECRET": CLIENT_SECRET,
    }


@pytest.fixture
async def auth(start: StartAuth, trusting: dict[str, str]) -> AsyncIterator[Auth]:
    async with start(**trusting) as running_auth:
        yield running_auth


async def leave(auth: Auth) -> str:
    started = await auth.http.post("/api/openid/sign-ins", json={"provider": "odd"}, headers=BROWSER)
    assert started.status_code == 201, started.text
    return str(started.json()["authorisation_url"])


async def come_back(auth: Auth, callback: dict[str, str]) -> httpx.Response:
    return await auth.http.get("/api/openid/callback", params=callback, headers=BROWSER)


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)


async def test_a_faultless_answer_is_believed(auth: Auth, provider: StandIn):
    answer = await come_back(auth, provider.vouch(await leave(auth)))
    assert answer.json()["state"] == "attestation_needed"


async def test_the_way_to_the_provider_holds_what_the_standard_asks_for(auth: Auth, provider: StandIn):
    urls = [await leave(auth), await leave(auth)]
    first, second = (dict(parse_qsl(urlsplit(url).query)) for url in urls)
    assert urls[0].startswith(f"{provider.issuer}/authorise?")
    secrets_of_it = ("state", "nonce", "code_challenge")
    assert {name: value for name, value in first.items() if name not in secrets_of_it} == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{PUBLIC_URL}/api/openid/callback",
        "scope": "openid email profile",
        "code_challenge_method": "S256",
    }
    assert all(len(first[name]) == 43 and first[name] != second[name] for name in secrets_of_it)
    assert provider.asked == {"/.well-known/openid-configuration": 1}


NOW = int(time.time())
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody else"},
    "no audience": {"aud": None},
    "several audiences without an authorised party": {"aud": [CLIENT_ID, "somebody else"]},
    "another authorised party": {"aud": [CLIENT_ID, "somebody else"], "azp": "somebody else"},
    "expired": {"iat": NOW - 600, "exp": NOW - SKEW_SECONDS - 1},
    "no expiry": {"exp": None},
    "an expiry that is no number": {"exp": "never"},
    "issued in the future": {"iat": NOW + 86_400, "exp": NOW + 90_000},
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "a subject that is none": {"sub": 7},
    "an empty subject": {"sub": ""},
    "too long a subject": {"sub": "x" * 256},
    "the hash of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


async def test_an_id_token_with_a_wrong_claim_is_refused(auth: Auth, provider: StandIn, superuser: Rows):
    for name, claims in WRONG_CLAIMS.items():
        answer = await come_back(auth, provider.vouch(await leave(auth), **claims))
        assert problem_of(answer) == (409, "sign-in-failed"), name
        assert counts(superuser, "openid_waiting", "openid_start") == [0, 0], name


async def test_an_id_token_that_its_provider_did_not_sign_is_refused(auth: Auth, provider: StandIn):
    """Unsigned, with the public key or the client's secret as the key, by another key of the same name, broken."""
    claims = {
        "iss": provider.issuer,
        "aud": CLIENT_ID,
        "sub": "1",
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
        "email": "person@example.com",
        "email_verified": True,
    }
    key = provider.keys[0]
    forger = ECKey.generate_key("P-256")
    public, secret = OctKey.import_key(json.dumps(key.as_dict(private=False))), OctKey.import_key(CLIENT_SECRET)
    header = {"alg": "HS256", "kid": key.kid}
    for forged in (
        lambda told: provider.signed(told, {"alg": "none"}),
        lambda told: jwt.encode(header, told, secret),
        lambda told: jwt.encode(header, told, public),
        lambda told: jwt.encode({"alg": "ES256", "kid": key.kid}, told, forger),
        lambda told: jwt.encode({"alg": "ES256", "kid": key.kid}, told, key)[:-4] + "AAAA",
        lambda told: "no token at all",
        lambda told: "",
    ):
        asked = dict(parse_qsl(urlsplit(await leave(auth)).query))
        callback = provider.hand_out(asked["state"], forged(claims | {"nonce": asked["nonce"]}))
        assert problem_of(await come_back(auth, callback)) == (409, "sign-in-failed")
    asked = dict(parse_qsl(urlsplit(await leave(auth)).query))
    genuine = provider.hand_out(asked["state"], provider.signed(claims | {"nonce": asked["nonce"]}, {}))
    assert (await come_back(auth, genuine)).status_code == 200


async def test_unknown_keys_are_looked_for_seldom(auth: Auth, provider: StandIn, clock: MovableClock):
    assert (await come_back(auth, provider.vouch(await leave(auth)))).status_code == 200
    provider.rotate()
    for _ in range(3):
        assert problem_of(await come_back(auth, provider.vouch(await leave(auth)))) == (409, "sign-in-failed")
    assert provider.asked["/keys"] == 1
    clock.advance(ASK_KEYS_AGAIN)
    assert (await come_back(auth, provider.vouch(await leave(auth)))).status_code == 200
    assert provider.asked["/keys"] == 2
    assert provider.asked["/.well-known/openid-configuration"] == 1


async def test_what_a_provider_says_about_itself_is_believed_for_an_hour(
    auth: Auth, provider: StandIn, clock: MovableClock
):
    await leave(auth)
    provider.discovery["authorization_endpoint"] = f"{provider.issuer}/moved"
    assert "/authorise?" in await leave(auth)
    clock.advance(BELIEVED)
    assert "/moved?" in await leave(auth)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "https://elsewhere.example/token"},
        {"authorization_endpoint": "https://elsewhere.example/authorise"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"userinfo_endpoint": "file:///etc/passwd"},
        {"jwks_uri": ["not", "text"]},
    ],
    ids=str,
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    auth: Auth, provider: StandIn, superuser: Rows, wrong: dict[str, Any]
):
    provider.discovery |= wrong
    answer = await auth.http.post("/api/openid/sign-ins", json={"provider": "odd"}, headers=BROWSER)
    assert problem_of(answer) == (503, "provider-unavailable")
    assert counts(superuser, "openid_start") == [0]


async def test_a_provider_that_is_down_costs_its_own_sign_in_only(auth: Auth, provider: StandIn):
    url = await leave(auth)
    provider.down = True
    answer = await come_back(auth, provider.vouch(url))
    assert problem_of(answer) == (503, "provider-unavailable")
    assert answer.headers["retry-after"]
    await auth.sign_up()
    assert await auth.sign_in()
    provider.down = False
    assert (await come_back(auth, provider.vouch(await leave(auth)))).status_code == 200


async def test_a_callback_of_another_issuer_is_refused_before_the_code_is_shown(auth: Auth, provider: StandIn):
    callback = provider.vouch(await leave(auth)) | {"iss": "https://elsewhere.example"}
    assert problem_of(await come_back(auth, callback)) == (409, "sign-in-failed")
    assert provider.forms == []


async def test_where_issuers_name_themselves_in_callbacks_none_may_be_silent(auth: Auth, provider: StandIn):
    provider.discovery["authorization_response_iss_parameter_supported"] = True
    assert problem_of(await come_back(auth, provider.vouch(await leave(auth)))) == (409, "sign-in-failed")
    named = provider.vouch(await leave(auth)) | {"iss": provider.issuer}
    assert (await come_back(auth, named)).status_code == 200


async def test_an_address_is_asked_for_where_the_id_token_has_none(auth: Auth, provider: StandIn):
    without = {"email": None, "email_verified": None}
    provider.profile = {"sub": "1", "email": "Person@Example.com", "email_verified": True, "name": " A\n Person "}
    told = (await come_back(auth, provider.vouch(await leave(auth), **without))).json()
    assert (told["email"], told["full_name"]) == ("person@example.com", "A Person")
    for profile, refusal in (
        (provider.profile | {"sub": "2"}, (409, "sign-in-failed")),
        (provider.profile | {"email_verified": False}, (403, "address-not-verified")),
        (provider.profile | {"email": "no address"}, (403, "address-not-verified")),
        ({"sub": "1"}, (403, "address-not-verified")),
    ):
        provider.profile = profile
        answer = await come_back(auth, provider.vouch(await leave(auth), **without))
        assert problem_of(answer) == refusal


async def test_only_addresses_of_the_named_domains_come_through(
    start: StartAuth, trusting: dict[str, str], provider: StandIn
):
    async with start(**trusting, OPENID_ODD_DOMAINS="example.com, example.org") as auth:
        for email, outcome in (
            ("person@example.org", None),
            ("person@sub.example.org", (403, "address-not-allowed")),
            ("person@example.org.evil.example", (403, "address-not-allowed")),
            ("person@evilexample.org", (403, "address-not-allowed")),
        ):
            answer = await come_back(auth, provider.vouch(await leave(auth), email=email))
            assert (problem_of(answer) if answer.is_error else None) == outcome
        unverified = await come_back(auth, provider.vouch(await leave(auth), email_verified=False))
        assert problem_of(unverified) == (403, "address-not-verified")


async def test_an_unknown_provider_is_named_as_the_mistake(auth: Auth):
    answer = await auth.http.post("/api/openid/sign-ins", json={"provider": "none"}, headers=BROWSER)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/provider"]


async def test_offered_are_the_configured_providers(auth: Auth, start: StartAuth):
    shown = await auth.http.get("/api/openid/providers")
    assert shown.json() == {"sign_in": "password", "providers": [{"name": "odd", "label": "odd"}]}


@pytest.mark.promise("P02")
async def test_where_sign_in_is_left_to_providers_no_password_is_taken_or_kept(
    start: StartAuth, trusting: dict[str, str], provider: StandIn, superuser: Rows
):
    async with start(**trusting) as auth:
        account_id = await auth.sign_up("owner@example.com")
        superuser.execute(
            "INSERT INTO identity VALUES (gen_random_uuid(), %s, %s, '1', NULL, now())", (account_id, provider.issuer)
        )
    async with start(**trusting, SIGN_IN="openid") as auth:
        assert (await auth.http.get("/api/openid/providers")).json()["sign_in"] == "openid"
        credentials = {"email": "owner@example.com", "password": PASSWORD}
        assert problem_of(await auth.http.post("/api/session", json=credentials)) == (403, "sign-in-elsewhere")
        passkey = await auth.http.post("/api/session/passkey/options")
        assert problem_of(passkey) == (403, "sign-in-elsewhere")
        reset = {"email": "owner@example.com"}
        assert problem_of(await auth.http.post("/api/password-resets", json=reset)) == (403, "sign-in-elsewhere")
        new = sign_up_body("other@example.com")
        assert problem_of(await auth.http.post("/api/accounts", json=new)) == (403, "sign-in-elsewhere")
        assert counts(superuser, "account", "credential", "session") == [1, 1, 0]
        arrived = await come_back(auth, provider.vouch(await leave(auth)))
        assert arrived.json()["account_id"] == str(account_id)
        assert counts(superuser, "credential", "session") == [0, 1]


async def test_nothing_secret_of_a_sign_in_is_stored_or_logged(
    auth: Auth, provider: StandIn, superuser: Rows, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    url = await leave(auth)
    asked = dict(parse_qsl(urlsplit(url).query))
    stored = superuser.execute("SELECT openid_start::text FROM openid_start").fetchone()
    callback = provider.vouch(url, nonce="wrong")
    assert (await come_back(auth, callback)).status_code == 409
    (form,) = provider.forms
    haystack = f"{stored}\n{caplog.text}"
    assert "openid_sign_in_failed" in haystack
    marks = [BROWSER["X-Signoff-Browser"], asked["state"], asked["nonce"], form["code"], form["code_verifier"]]
    marks += [CLIENT_SECRET, "person@example.com"]
    assert [mark for mark in marks if mark in haystack] == []


WRONG_SETTINGS: list[tuple[dict[str, str], str]] = [
    ({"SIGN_IN": "both"}, "SIGN_IN is 'both'"),
    ({"SIGN_IN": "openid", "OPENID_PROVIDERS": ""}, "names no provider"),
    ({"OPENID_PROVIDERS": "odd,Even!"}, "'even!'"),
    ({"OPENID_ODD_ISSUER": ""}, "OPENID_ODD_ISSUER is not set"),
    ({"OPENID_ODD_CLIENT_ID": ""}, "OPENID_ODD_CLIENT_ID is not set"),
    ({"OPENID_ODD_ISSUER": "http://login.example.com"}, "must start with https://"),
    ({"OPENID_ODD_ISSUER": "https://login.example.com?tenant=1"}, "nothing more"),
    ({"OPENID_ODD_ISSUER": "https://me@login.example.com"}, "nothing more"),
    ({"PUBLIC_URL": ""}, "PUBLIC_URL is not set"),
    (
        {"OPENID_PROVIDERS": "odd,even", "OPENID_EVEN_ISSUER": "http://127.0.0.1:1", "OPENID_EVEN_CLIENT_ID": "x"}
        | {"OPENID_ODD_ISSUER": "http://127.0.0.1:1"},
        "one issuer twice",
    ),
]


def test_a_wrong_setting_stops_the_start(trusting: dict[str, str]):
    for changes, complaint in WRONG_SETTINGS:
        with pytest.raises(SettingError, match=re.escape(complaint)):
            create_app(trusting | changes)


@pytest.mark.promise("P23")
def test_production_talks_to_no_provider_in_plain_text(trusting: dict[str, str]):
    production = Environment(trusting | {"SIGNOFF_STAGE": "production"})
    with pytest.raises(SettingError, match="OPENID_ODD_ISSUER must start with https://"):
        OpenIdSettings.read(production)
