"""Who signed is known, what is sealed is read by its receiver alone, and wrong files are refused in one line."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from kit.key_files import generate_keys
from kit.keys import BadSignature, SealingKey, SigningKey, TrustedKeys, write_private
from kit.settings import SettingError


@pytest.fixture
def trusted(keys_folder: Path) -> TrustedKeys:
    return TrustedKeys.load(keys_folder / "trusted.jwks.json")


def signing(folder: Path, service: str) -> SigningKey:
    return SigningKey.load(service, folder / f"{service}.signing.pem")


def test_a_signature_is_its_signers_over_these_bytes(keys_folder: Path, trusted: TrustedKeys):
    signature = signing(keys_folder, "content").sign(b"seal")
    trusted.verify("content", b"seal", signature)
    with pytest.raises(BadSignature, match="not signed by content"):
        trusted.verify("content", b"seal!", signature)
    with pytest.raises(BadSignature, match="not signed by auth"):
        trusted.verify("auth", b"seal", signature)
    with pytest.raises(BadSignature, match="no trusted key of stranger"):
        trusted.verify("stranger", b"seal", signature)


def test_what_was_signed_well_is_not_trusted_longer_than_its_key(tmp_path: Path):
    generate_keys(tmp_path, ["content", "auth"])
    file = tmp_path / "trusted.jwks.json"
    trusted, signature = TrustedKeys.load(file), signing(tmp_path, "content").sign(b"seal")
    for _ in range(2):
        trusted.verify("content", b"seal", signature)
    published = json.loads(file.read_text())
    other = tmp_path / "other"
    generate_keys(other, ["content"])
    strange = json.loads((other / "trusted.jwks.json").read_text())["keys"]
    kept = [key for key in published["keys"] if not key["kid"].startswith("content#")]
    file.write_text(json.dumps({"keys": [*kept, *strange]}))
    with pytest.raises(BadSignature):
        # A name that is not known makes it look at the file at once.
        trusted.token_key("content#unknown", now=datetime.now(UTC))
    with pytest.raises(BadSignature, match="not signed by content"):
        trusted.verify("content", b"seal", signature)


def test_the_signature_of_one_service_is_not_that_of_another_with_the_same_words(tmp_path: Path):
    generate_keys(tmp_path, ["content", "auth"])
    trusted, signature = TrustedKeys.load(tmp_path / "trusted.jwks.json"), signing(tmp_path, "content").sign(b"seal")
    trusted.verify("content", b"seal", signature)
    for service, message, signed in (("auth", b"seal", signature), ("content", b"seal", signature[:-1] + b"?")):
        with pytest.raises(BadSignature):
            trusted.verify(service, message, signed)


@pytest.mark.promise("P22")
def test_what_is_sealed_opens_for_its_receiver_in_its_context_only(keys_folder: Path, trusted: TrustedKeys):
    sealed = trusted.seal("publisher", b"grant", context=b"lease:1")
    assert b"grant" not in sealed
    publisher = SealingKey.load(keys_folder / "publisher.sealing.pem")
    assert publisher.open(sealed, context=b"lease:1") == b"grant"
    for key, context, bytes_ in (
        (publisher, b"lease:2", sealed),
        (SealingKey.load(keys_folder / "metrics.sealing.pem"), b"lease:1", sealed),
        (publisher, b"lease:1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(InvalidTag):
            key.open(bytes_, context=context)
    with pytest.raises(BadSignature, match="no sealing key of stranger"):
        trusted.seal("stranger", b"grant", context=b"")


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path: Path):
    generate_keys(tmp_path / "keys", ["auth"])
    first = signing(tmp_path / "keys", "auth").sign(b"x")
    generate_keys(tmp_path / "keys", ["auth", "content"])
    trusted = TrustedKeys.load(tmp_path / "keys" / "trusted.jwks.json")
    trusted.verify("auth", b"x", first)
    trusted.verify("content", b"x", signing(tmp_path / "keys", "content").sign(b"x"))
    for file in (tmp_path / "keys").glob("*.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"PRIVATE" not in (tmp_path / "keys" / "trusted.jwks.json").read_bytes()


def test_a_private_file_is_never_overwritten(tmp_path: Path):
    write_private(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"


def test_a_key_of_the_other_kind_is_refused(keys_folder: Path):
    with pytest.raises(SettingError, match="holds no Ed25519 private key"):
        SigningKey.load("auth", keys_folder / "auth.sealing.pem")
    with pytest.raises(SettingError, match="holds no X25519 private key"):
        SealingKey.load(keys_folder / "auth.signing.pem")


@pytest.mark.parametrize("content", [b"-", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b""])
def test_a_file_that_is_no_key_is_a_wrong_setting(tmp_path: Path, content: bytes):
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(SettingError, match="holds no Ed25519 private key"):
        SigningKey.load("auth", tmp_path / "key.pem")
    with pytest.raises(SettingError, match="holds no X25519 private key"):
        SealingKey.load(tmp_path / "key.pem")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"keys": 1}',
        '{"keys": [{"crv": "Ed25519"}]}',
        '{"keys": [{"crv": "Ed25519", "kid": "a", "x": "AA"}]}',
    ],
)
def test_a_file_that_is_no_key_set_is_a_wrong_setting(tmp_path: Path, document: str):
    (tmp_path / "trusted.json").write_text(document)
    with pytest.raises(SettingError, match="is not a JWKS"):
        TrustedKeys.load(tmp_path / "trusted.json")


def test_a_public_key_is_published_without_its_private_half(trusted: TrustedKeys):
    (published,) = trusted.lasting_jwks("retention")["keys"]
    assert published.keys() == {"kty", "crv", "kid", "use", "x"}
    assert json.loads(json.dumps(published))["kid"].startswith("retention#")
    assert {key["use"] for key in trusted.jwks()["keys"]} == {"sig", "enc"}
    assert '"d"' not in json.dumps(trusted.jwks())
