"""A service's keys are replaced while everything runs: nobody is refused meanwhile, and the old key ends."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from kit import key_files, links, passport, rereading
from kit.clock import FixedClock
from kit.keys import BadSignature, SealingKey, SigningKey, TrustedKeys
from kit.links import BadLink, LinkedObject, LinkIssuer, LinkReader
from kit.passport import Passports
from kit.problems import Unauthenticated
from kit.settings import SettingError

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
DOOR = LinkedObject("posts/door.jpg", "image/jpeg", 7)


class Place:
    """Two services that run through a replacement, each with the files it opened before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        key_files.generate_keys(folder, ["publisher", "content"])
        self.clock = FixedClock(NOW)
        self.key = SigningKey.load("publisher", folder / "publisher.signing.pem")
        self.sealing = SealingKey.load(folder / "publisher.sealing.pem")
        self.trusted = TrustedKeys.load(folder / "trusted.jwks.json")
        self.publisher = Passports(self.key, self.trusted, self.clock)
        others = TrustedKeys.load(folder / "trusted.jwks.json")
        content = SigningKey.load("content", folder / "content.signing.pem")
        self.content = Passports(content, others, self.clock)
        self.reader = LinkReader("publisher", others, self.clock)
        self.others = others

    def switch(self) -> None:
        key_files.announce(self.folder, "publisher")
        key_files.switch(self.folder, "publisher", now=self.clock.now())

    def seal(self) -> bytes:
        return self.others.seal("publisher", b"grant", context=b"lease")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(rereading, "LOOK_SECONDS", 0.0)
    return Place(tmp_path / "keys")


def test_nobody_is_refused_at_any_step(place: Place):
    kids = set()

    def everything_counts() -> None:
        kids.add(place.key.present.kid)
        assert place.content.verify(place.publisher.issue_own()).service == "publisher"
        assert place.sealing.open(place.seal(), context=b"lease") == b"grant"
        assert place.reader.read(LinkIssuer(place.key, place.clock).issue(DOOR).reveal()) == DOOR
        place.others.verify("publisher", b"seal", place.key.sign(b"seal"))

    everything_counts()
    under_way = place.publisher.issue_own(), place.seal()
    key_files.announce(place.folder, "publisher")
    everything_counts()
    key_files.switch(place.folder, "publisher", now=NOW)
    everything_counts()
    assert place.content.verify(under_way[0]).service == "publisher"
    assert place.sealing.open(under_way[1], context=b"lease") == b"grant"
    key_files.finish(place.folder, "publisher", now=NOW)
    everything_counts()
    assert len(kids) == 2
    with pytest.raises(InvalidTag):
        place.sealing.open(under_way[1], context=b"lease")


def test_who_has_not_looked_yet_is_understood_and_looks_for_a_name_it_does_not_know(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rereading, "LOOK_SECONDS", 3600.0)
    place.switch()
    fresh = SigningKey.load("publisher", place.folder / "publisher.signing.pem")
    assert place.content.verify(Passports(fresh, place.trusted, place.clock).issue_own()).service == "publisher"


@pytest.mark.promise("P97")
def test_the_old_keys_tokens_end_and_what_it_signed_to_last_does_not(place: Place):
    passport, link = place.publisher.issue_own(), LinkIssuer(place.key, place.clock).issue(DOOR).reveal()
    old, seal = place.key.present.kid, place.key.sign(b"seal")
    place.switch()
    place.clock.advance(key_files.OLD_KEY_LIFETIME)
    with pytest.raises(BadSignature):
        place.others.token_key(old, now=place.clock.now())
    with pytest.raises(Unauthenticated):
        place.content.verify(passport)
    with pytest.raises(BadLink):
        place.reader.read(link)
    place.others.verify("publisher", b"seal", seal)


@pytest.mark.promise("P97")
def test_a_key_that_is_taken_out_counts_for_nothing_at_once(place: Place):
    passport, link, old = (
        place.publisher.issue_own(),
        LinkIssuer(place.key, place.clock).issue(DOOR).reveal(),
        place.key.present.kid,
    )
    seal = place.key.sign(b"seal")
    with pytest.raises(SettingError, match="rotate it first"):
        key_files.distrust(place.folder, old)
    place.switch()
    assert place.content.verify(passport).service == "publisher"
    key_files.distrust(place.folder, old)
    with pytest.raises(Unauthenticated):
        place.content.verify(passport)
    with pytest.raises(BadLink):
        place.reader.read(link)
    with pytest.raises(BadSignature):
        place.others.verify("publisher", b"seal", seal)
    with pytest.raises(SettingError, match="not a trusted key"):
        key_files.distrust(place.folder, old)


def test_old_keys_leave_the_set_but_those_of_seals_and_certificates(place: Place):
    for service in ("publisher", "content"):
        key_files.announce(place.folder, service)
        key_files.switch(place.folder, service, now=NOW)
    for service in ("publisher", "content"):
        key_files.finish(place.folder, service, now=NOW + key_files.OLD_KEY_LIFETIME)
    document = json.loads((place.folder / key_files.TRUSTED).read_text())
    signing = sorted(key["kid"].partition("#")[0] for key in document["keys"] if key["use"] == "sig")
    assert signing == ["content", "content", "publisher"]
    assert len(place.others.lasting_jwks("content")["keys"]) == 2


def test_a_start_in_the_middle_keeps_every_key(place: Place):
    old = place.publisher.issue_own()
    key_files.announce(place.folder, "publisher")
    announced = (place.folder / key_files.TRUSTED).read_bytes()
    key_files.generate_keys(place.folder, ["publisher", "content"])
    assert json.loads((place.folder / key_files.TRUSTED).read_bytes()) == json.loads(announced)
    key_files.switch(place.folder, "publisher", now=NOW)
    key_files.generate_keys(place.folder, ["publisher", "content"])
    assert place.content.verify(old).service == "publisher"
    assert place.sealing.open(place.seal(), context=b"lease") == b"grant"


def test_steps_out_of_order_are_refused_and_repeated_ones_change_nothing(place: Place):
    with pytest.raises(SettingError, match="announce one first"):
        key_files.switch(place.folder, "publisher", now=NOW)
    key_files.announce(place.folder, "publisher")
    before = (place.folder / key_files.TRUSTED).read_bytes()
    key_files.announce(place.folder, "publisher")
    assert (place.folder / key_files.TRUSTED).read_bytes() == before
    with pytest.raises(SettingError, match="switch first"):
        key_files.finish(place.folder, "publisher", now=NOW)
    key_files.switch(place.folder, "publisher", now=NOW)
    with pytest.raises(SettingError, match="finish that first"):
        key_files.announce(place.folder, "publisher")


def test_a_key_that_was_replaced_by_hand_is_not_trusted_any_more(place: Place):
    old = place.publisher.issue_own()
    (place.folder / "publisher.signing.pem").unlink()
    key_files.generate_keys(place.folder, ["publisher", "content"])
    with pytest.raises(Unauthenticated):
        place.content.verify(old)
    assert place.content.verify(place.publisher.issue_own()).service == "publisher"


def test_private_files_stay_their_owners_alone(place: Place):
    place.switch()
    for file in place.folder.glob("*.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert [file.name for file in place.folder.iterdir() if ".ne" in file.name] == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"keys": [{}]}'])
def test_a_file_that_is_half_there_leaves_what_was_known(place: Place, content: bytes):
    (place.folder / key_files.TRUSTED).write_bytes(content)
    assert place.content.verify(place.publisher.issue_own()).service == "publisher"


def test_a_file_that_is_gone_leaves_what_was_known(place: Place):
    for file in place.folder.iterdir():
        file.unlink()
    assert place.content.verify(place.publisher.issue_own()).service == "publisher"


def test_an_old_key_counts_longer_than_anything_it_signed_for_a_while():
    assert 2 * max(links.LIFETIME, passport.LIFETIME) < key_files.OLD_KEY_LIFETIME
