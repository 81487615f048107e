"""A link opens one object for an hour, and nothing else for anybody."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from kit.clock import FixedClock
from kit.keys import SigningKey, TrustedKeys
from kit.links import LIFETIME, TOKEN_CHARACTERS_MAX, BadLink, LinkedObject, LinkIssuer, LinkReader
from kit.logs import REDACTED, redact
from kit.passport import Passports
from kit.problems import Unauthenticated

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
DOOR = LinkedObject("media/1/2", "image/jpeg", 40_000)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def trusted(keys_folder: Path) -> TrustedKeys:
    return TrustedKeys.load(keys_folder / "trusted.jwks.json")


@pytest.fixture
def publisher(keys_folder: Path) -> SigningKey:
    return SigningKey.load("publisher", keys_folder / "publisher.signing.pem")


@pytest.fixture
def token(publisher: SigningKey, clock: FixedClock) -> str:
    return LinkIssuer(publisher, clock).issue(DOOR).reveal()


@pytest.fixture
def reader(trusted: TrustedKeys, clock: FixedClock) -> LinkReader:
    return LinkReader("publisher", trusted, clock)


def signed(signer: SigningKey, **claims: Any) -> str:
    """A link with any claims, as a service that misbehaves could make it."""
    now = int(NOW.timestamp())
    valid = {"iss": "publisher", "aud": "object", "iat": now, "exp": now + 60, "key": "k", "type": "t/t", "size": 1}
    header = {"alg": "Ed25519", "kid": signer.present.kid}
    return jwt.encode(header, valid | claims, signer.present.jwk, algorithms=["Ed25519"])


def test_a_link_leads_to_its_object_for_an_hour(reader: LinkReader, token: str, clock: FixedClock):
    clock.advance(LIFETIME - timedelta(seconds=1))
    assert reader.read(token) == DOOR
    clock.advance(timedelta(seconds=1))
    with pytest.raises(BadLink):
        reader.read(token)


def test_a_link_is_a_secret_that_no_log_shows(publisher: SigningKey, clock: FixedClock, token: str):
    assert "Secret" in repr(LinkIssuer(publisher, clock).issue(DOOR))
    line = redact(f'HTTP Request: GET https://signoff.example/media/{token} "HTTP/1.1 200 OK"')
    assert line == f'HTTP Request: GET https://signoff.example/media/{REDACTED} "HTTP/1.1 200 OK"'


def test_an_altered_link_opens_nothing(reader: LinkReader, token: str):
    header, claims, signature = token.split(".")
    document = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"key": "media/3/4"}
    other = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    tampered = [f"{header}.{other}.{signature}", f"{unsigned}.{claims}.", f"{header}.{claims}.", f"{header}.{claims}"]
    for wrong in (*tampered, "", "x", "a.b.c", "ä.ö.ü", token + "A", "a" * (TOKEN_CHARACTERS_MAX + 1)):
        with pytest.raises(BadLink):
            reader.read(wrong)


def test_only_the_one_who_may_makes_links(reader: LinkReader, keys_folder: Path, clock: FixedClock):
    metrics = SigningKey.load("metrics", keys_folder / "metrics.signing.pem")
    for wrong in (LinkIssuer(metrics, clock).issue(DOOR).reveal(), signed(metrics)):
        with pytest.raises(BadLink):
            reader.read(wrong)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "auth"},
        {"aud": "passport"},
        {"aud": None},
        {"exp": int(NOW.timestamp()) + 3601},
        {"exp": "tomorrow"},
        {"exp": None},
        {"size": "1"},
        {"size": True},
        {"key": 7},
        {"type": None},
    ],
)
def test_a_link_that_claims_too_much_opens_nothing(reader: LinkReader, publisher: SigningKey, claims: dict[str, Any]):
    assert reader.read(signed(publisher)) == LinkedObject("k", "t/t", 1)
    with pytest.raises(BadLink):
        reader.read(signed(publisher, **claims))


def test_a_passport_is_no_link_and_a_link_no_passport(
    reader: LinkReader, publisher: SigningKey, trusted: TrustedKeys, clock: FixedClock, token: str
):
    passports = Passports(publisher, trusted, clock)
    with pytest.raises(BadLink):
        reader.read(passports.issue_own())
    for link in (token, signed(publisher, sub="service:publisher")):
        with pytest.raises(Unauthenticated):
            passports.verify(link)
