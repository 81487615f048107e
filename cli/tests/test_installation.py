"""What an installation owns is made once and never again in silence."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.embedded import DataDirectory, EmbeddedError
from kit.keys import SigningKey, TrustedKeys
from kit.settings import SettingError
from signoff.installation import DATABASES, SERVICES, STORES, Installation


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    with DataDirectory(tmp_path / "data") as directory:
        yield directory


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_new_folder_gets_everything(directory: DataDirectory):
    installation = Installation.open(directory)
    trusted = TrustedKeys.load(installation.trusted_keys)
    for service in SERVICES:
        signature = SigningKey.load(service, installation.signing_key(service)).sign(b"message")
        trusted.verify(service, b"message", signature)
    assert len(base64.b64decode(installation.vault_key.read_text(), validate=True)) == 32
    passwords = [password for roles in installation.passwords.values() for password in (roles.login, roles.owner)]
    assert len({password.reveal() for password in passwords}) == 2 * len(STORES)
    assert len({installation.bus_seed(service).read_text() for service in DATABASES}) == len(DATABASES)


def test_opening_again_changes_nothing(directory: DataDirectory):
    Installation.open(directory)
    before = contents(directory.path)
    Installation.open(directory)
    assert contents(directory.path) == before


def test_an_earlier_installation_gets_the_passwords_of_a_database_that_came_since(directory: DataDirectory):
    installation = Installation.open(directory)
    file = installation.keys / "database-passwords.json"
    stored = json.loads(file.read_text())
    del stored["auth_keys"]
    file.write_text(json.dumps(stored))
    passwords = Installation.open(directory).passwords
    assert passwords["auth_keys"].login != passwords["auth_keys"].owner
    assert {name: roles.login.reveal() for name, roles in passwords.items() if name in stored} == {
        name: roles["login"] for name, roles in stored.items()
    }


def test_nobody_else_may_read_a_secret(directory: DataDirectory):
    installation = Installation.open(directory)
    for file in installation._secret_files():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(installation.keys.stat().st_mode) == 0o700


@pytest.mark.promise("P22")
@pytest.mark.parametrize(
    "name", ["vault.key", "auth.signing.pem", "publisher.sealing.pem", "content.nkey", "database-passwords.json"]
)
def test_a_lost_key_is_missed_and_not_replaced(directory: DataDirectory, name: str):
    installation = Installation.open(directory)
    (installation.keys / name).unlink()
    before = contents(directory.path)
    with pytest.raises(EmbeddedError, match=f"{name} is missing.*backup") as refused:
        Installation.open(directory)
    assert "\n" not in str(refused.value)
    assert contents(directory.path) == before


def test_a_first_start_that_was_cut_short_goes_on(directory: DataDirectory):
    installation = Installation.open(directory)
    (directory.path / "INSTALLED").unlink()
    installation.vault_key.unlink()
    kept = installation.signing_key("auth").read_bytes()
    again = Installation.open(directory)
    assert again.vault_key.exists()
    assert again.signing_key("auth").read_bytes() == kept


def test_a_damaged_key_is_one_clear_line(directory: DataDirectory):
    installation = Installation.open(directory)
    installation.signing_key("auth").write_text("garbage")
    with pytest.raises(SettingError, match=r"auth.signing.pem holds no Ed25519 private key"):
        Installation.open(directory)
