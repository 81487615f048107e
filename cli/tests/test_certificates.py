"""`signoff certificate verify`: genuine or not, by public keys alone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from kit.certificates import sign_certificate
from kit.keys import SigningKey
from signoff.main import main

DOCUMENT = {"erasure_id": "0199c1d0-0000-7000-8000-000000000000", "final": True}


@pytest.fixture
def keys(keys_folder: Path) -> str:
    return str(keys_folder / "trusted.jwks.json")


def signed_by(keys_folder: Path, service: str) -> str:
    return sign_certificate(DOCUMENT, SigningKey.load(service, keys_folder / f"{service}.signing.pem"))


@pytest.mark.parametrize("as_erasure", [False, True])
def test_a_genuine_certificate_is_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, keys_folder: Path, keys: str, as_erasure: bool
):
    certificate = signed_by(keys_folder, "retention")
    file = tmp_path / "certificate"
    file.write_text(json.dumps({"certificate": certificate}) if as_erasure else certificate + "\n")
    assert main(["certificate", "verify", str(file), "--keys", keys]) == 0
    output, error = capsys.readouterr()
    assert json.loads(output) == DOCUMENT
    assert error == "genuine: signed by retention\n"


def test_it_reads_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, keys_folder: Path, keys: str
):
    monkeypatch.setattr("sys.stdin", io.StringIO(signed_by(keys_folder, "retention")))
    assert main(["certificate", "verify", "-", "--keys", keys]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def altered(certificate: str) -> str:
    header, payload, signature = certificate.split(".")
    return ".".join([header, payload[:-4] + ("AAAA" if payload[-4:] != "AAAA" else "BBBB"), signature])


@pytest.mark.parametrize("case", ["altered", "another service", "cut", "no certificate", "binary", "empty"])
def test_everything_else_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, keys_folder: Path, keys: str, case: str
):
    genuine = signed_by(keys_folder, "retention")
    texts = {
        "altered": altered(genuine),
        "another service": signed_by(keys_folder, "content"),
        "cut": genuine[:-10],
        "no certificate": '{"certificate": null}',
        "empty": "",
    }
    file = tmp_path / "certificate"
    file.write_bytes(b"\xff\xfe\x00" if case == "binary" else texts[case].encode())
    assert main(["certificate", "verify", str(file), "--keys", keys]) == 1
    output, error = capsys.readouterr()
    assert output == ""
    assert error.count("\n") == 1


@pytest.mark.parametrize("keys", ["http://127.0.0.1:9/keys", "/nowhere", __file__])
def test_keys_that_are_none_are_said_so(capsys: pytest.CaptureFixture[str], keys: str):
    assert main(["certificate", "verify", "-", "--keys", keys]) == 1
    assert "gives no public keys" in capsys.readouterr().err
