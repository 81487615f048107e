"""What an operator is given to start with: keys that fit the manifests, and users that the NATS server accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kit.clock import SystemClock
from kit.embedded.nats_server import program_path
from kit.identities import public_key
from kit.keys import BadSignature, SealingKey, SigningKey, TrustedKeys

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    for _ in range(2):
        subprocess.run([sys.executable, str(ROOT / "deploy" / "prepare.py"), str(folder)], check=True)
    return folder


def test_every_secret_volume_of_the_manifests_is_filled(prepared: Path):
    wanted = set()
    for file in (ROOT / "deploy" / "k8s").glob("*/*.yaml"):
        for document in yaml.safe_load_all(file.read_text()):
            pod = document.get("spec", {}).get("template", {}).get("spec", {})
            for volume in pod.get("volumes", []):
                for item in volume.get("secret", {}).get("items", []):
                    wanted.add(f"{volume['secret']['secretName'].removeprefix('signoff-')}/{item['key']}")
    made = {str(path.relative_to(prepared)) for path in prepared.glob("*/*") if path.parent.name != ".made"}
    assert wanted == made - {"trusted/trusted.jwks.json"}


def test_the_trusted_keys_are_those_of_the_services(prepared: Path):
    trusted = TrustedKeys.load(prepared / "trusted" / "trusted.jwks.json")
    signature = SigningKey.load("content", prepared / "content" / "signing.pem").sign(b"fact")
    trusted.verify("content", b"fact", signature)
    sealed = trusted.seal("publisher", b"grant", context=b"lease")
    assert SealingKey.load(prepared / "publisher" / "sealing.pem").open(sealed, context=b"lease") == b"grant"


def test_private_files_are_the_owners_alone(prepared: Path):
    for file in [*prepared.glob("*/*.pem"), *prepared.glob("*/*.nkey")]:
        assert os.stat(file).st_mode & 0o077 == 0, file


def test_the_nats_server_takes_the_users(prepared: Path):
    assert_taken_by_nats(prepared / "nats-users.conf")
    text = (prepared / "nats-users.conf").read_text()
    assert text.count('"nkey"') == 7
    assert "post.approved.v1.*" in text


def assert_taken_by_nats(configuration: Path) -> None:
    checked = subprocess.run(
        [program_path(), "-t", "-c", str(configuration)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deploy" / "prepare.py"), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_key_of_the_bus_is_rolled_without_a_moment_in_which_neither_counts(tmp_path: Path):
    assert run(tmp_path).returncode == 0
    users, file = tmp_path / "nats-users.conf", tmp_path / "publisher" / "nats.nkey"
    old = public_key(file)
    assert run(tmp_path, "--roll", "publisher").returncode == 0
    new = public_key(file)
    assert new != old
    assert old in users.read_text()
    assert new in users.read_text()
    assert_taken_by_nats(users)
    again = run(tmp_path, "--roll", "publisher")
    assert (again.returncode, public_key(file)) == (1, new)
    assert "--retire publisher first" in again.stderr
    assert run(tmp_path, "--retire", "publisher").returncode == 0
    assert public_key(file) == new
    assert old not in users.read_text()
    assert users.read_text().count('"nkey"') == 7
    assert run(tmp_path, "--retire", "publisher").stderr == "publisher has no old key\n"
    assert run(tmp_path, "--roll", "gateway").returncode == 2


def test_a_services_own_keys_are_replaced_step_by_step(tmp_path: Path):
    assert run(tmp_path).returncode == 0
    trusted = TrustedKeys.load(tmp_path / "trusted" / "trusted.jwks.json")
    sealed = trusted.seal("publisher", b"grant", context=b"lease")
    kids = []
    for step in ("--announce", "--switch", "--finish"):
        signing = SigningKey.load("publisher", tmp_path / "publisher" / "signing.pem")
        sealing = SealingKey.load(tmp_path / "publisher" / "sealing.pem")
        assert sealing.open(sealed, context=b"lease") == b"grant"
        kids.append(signing.present.kid)
        assert run(tmp_path, step, "publisher").stderr == ""
        trusted = TrustedKeys.load(tmp_path / "trusted" / "trusted.jwks.json")
        trusted.verify("publisher", b"fact", signing.sign(b"fact"))
    assert len(set(kids)) == 2
    assert run(tmp_path, "--finish", "publisher").returncode == 0
    assert run(tmp_path, "--switch", "publisher").stderr == "publisher has no next key: announce one first\n"
    assert run(tmp_path, "--distrust", kids[0]).returncode == 0
    with pytest.raises(BadSignature):
        TrustedKeys.load(tmp_path / "trusted" / "trusted.jwks.json").token_key(kids[0], now=SystemClock().now())
