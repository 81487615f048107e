"""Rotation: every data key comes under the new key-encryption key, while auth goes on, and no ciphertext changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from auth.adapters.key_file import KeyFile, add_key
from auth.adapters.keys import StoredKeyring
from auth.adapters.vault import EnvelopeVault, for_each
from auth.domain.vault import KeyUnusable, VaultUnavailable, WrappedKey
from auth.use_cases import rotating
from auth.use_cases.rotating import look, rotate
from kit.clock import MovableClock
from kit.database import Database
from kit.ids import new_id
from kit.keys import write_private
from kit.secret import Secret
from signoff.main import main

from services.auth.tests.client import Room, Superuser

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def key_file(environment: dict[str, str], tmp_path: Path) -> Path:
    """A copy of the installation's key file, which this test may change."""
    file = tmp_path / "vault.key"
    write_private(file, Path(environment["VAULT_KEY_FILE"]).read_bytes())
    environment["VAULT_KEY_FILE"] = str(file)
    return file


@pytest.fixture
def owner_url(environment: dict[str, str]) -> str:
    return environment["DATABASE_URL_AUTH_KEYS"].replace("//auth_keys:", "//auth_keys_owner:")


@pytest.fixture
async def keyring(owner_url: str, clock: MovableClock) -> AsyncIterator[StoredKeyring]:
    database = Database("auth_keys", Secret(owner_url), clock, connections_max=1)
    await database.open()
    yield StoredKeyring(database)
    await database.close()


def say_nothing(done: int, total: int) -> None:
    """Nobody looks."""


async def test_a_running_auth_goes_on_while_its_keys_are_rewrapped(
    key_file: Path, room: Room, keyring: StoredKeyring, superuser: Superuser, clock: MovableClock
):
    connection_id = await room.connect()
    texts = "SELECT connection_id, generation, data_key_id, nonce, ciphertext FROM sealed_grant"
    before = superuser.execute(texts).fetchall()
    new = add_key(key_file)
    told: list[tuple[int, int]] = []
    provider = KeyFile(key_file)
    standing = await rotate(keyring, provider, for_each=for_each, tell=lambda *each: told.append(each))
    assert (standing.current, standing.by_key, standing.left) == (new, {new: 1}, 0)
    assert told == [(0, 1), (1, 1)]
    assert standing.free_from is not None
    assert timedelta(days=6) < standing.free_from - clock.now() <= timedelta(days=7)
    assert superuser.execute(texts).fetchall() == before
    assert len((await room.borrow(connection_id)).leases) == 1
    await room.connect("bluesky")
    assert (await look(keyring, provider)).by_key == {new: 2}
    # The old key is withdrawn: what is left in the file opens everything.
    write_private(key_file.with_name("next"), key_file.read_bytes().splitlines()[0])  # noqa: ASYNC240  # bytes
    key_file.with_name("next").replace(key_file)
    assert len((await room.borrow(connection_id)).leases) == 1


async def seal_some(vault: EnvelopeVault, count: int) -> list[UUID]:
    sealed = [
        await vault.seal_grant(b"a grant", connection_id=new_id(), workspace_id=new_id(), generation=1)
        for _ in range(count)
    ]
    return [each.data_key_id for each in sealed]


class Interrupted(Exception):
    """The command was stopped."""


async def test_an_interrupted_rotation_goes_on_where_it_was(
    key_file: Path, vault: EnvelopeVault, keyring: StoredKeyring, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rotating, "BATCH", 2)
    await seal_some(vault, 5)
    new = add_key(key_file)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        await rotate(keyring, KeyFile(key_file), for_each=for_each, tell=stop)
    assert (await look(keyring, KeyFile(key_file))).left == 1
    told: list[tuple[int, int]] = []
    standing = await rotate(keyring, KeyFile(key_file), for_each=for_each, tell=lambda *each: told.append(each))
    assert told == [(0, 1), (1, 1)]
    assert standing.by_key == {new: 5}


async def test_a_key_that_is_destroyed_meanwhile_stays_destroyed(
    key_file: Path, vault: EnvelopeVault, keyring: StoredKeyring, superuser: Superuser
):
    gone, kept = await seal_some(vault, 2)
    new = add_key(key_file)

    class Slow(KeyFile):
        async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
            await vault.destroy(gone)
            return await super().rewrap(wrapped, context=context)

    standing = await rotate(keyring, Slow(key_file), for_each=for_each, tell=say_nothing)
    assert standing.by_key == {new: 1}
    assert superuser.keys.execute("SELECT data_key_id FROM grant_key").fetchall() == [(kept,)]


async def test_a_key_that_never_opens_again_is_named_and_left(
    key_file: Path, vault: EnvelopeVault, keyring: StoredKeyring, superuser: Superuser
):
    broken, _ = await seal_some(vault, 2)
    superuser.keys.execute(
        "UPDATE grant_key SET wrapped_key = '\\x00' || wrapped_key WHERE data_key_id = %s", (broken,)
    )
    add_key(key_file)
    standing = await rotate(keyring, KeyFile(key_file), for_each=for_each, tell=say_nothing)
    assert (standing.failed, standing.left) == ([broken], 1)


async def test_a_new_key_that_is_not_usable_changes_nothing(
    key_file: Path, vault: EnvelopeVault, keyring: StoredKeyring, superuser: Superuser
):
    await seal_some(vault, 2)
    rows = "SELECT * FROM grant_key ORDER BY data_key_id"
    before = superuser.keys.execute(rows).fetchall()

    class Denied(KeyFile):
        async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
            raise KeyUnusable("the key is disabled")

    with pytest.raises(VaultUnavailable):
        await rotate(keyring, Denied(key_file), for_each=for_each, tell=say_nothing)
    assert superuser.keys.execute(rows).fetchall() == before


def command(environment: dict[str, str], owner_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator sets to reach databases that are not embedded."""
    monkeypatch.setenv("SIGNOFF_STAGE", "development")
    monkeypatch.setenv("DATABASE_OWNER_URL_AUTH_KEYS", owner_url)
    monkeypatch.setenv("VAULT_KEY_FILE", environment["VAULT_KEY_FILE"])


def test_the_command_makes_a_key_rotates_and_says_how_it_stands(
    key_file: Path, environment: dict[str, str], owner_url: str, superuser: Superuser, capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    command(environment, owner_url, monkeypatch)
    assert main(["vault", "status"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "every key is wrapped by the current one"
    superuser.keys.execute(
        "INSERT INTO grant_key SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '\\x00', 'lost', now(),"
        " now()"
    )
    assert main(["vault", "new-key"]) == 0
    new = capsys.readouterr().out.splitlines()[0].split()[-1]
    assert main(["vault", "status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "current": new, "keys": {"lost": 1}, "left": 1, "others_free_from": None,
    }  # fmt: skip
    assert main(["vault", "rotate"]) == 1
    told = capsys.readouterr()
    assert "cannot be unwrapped and was left as it is" in told.err
    assert told.out.splitlines()[-1] == "left on another key: 1. Run: signoff vault rotate"
    superuser.keys.execute("DELETE FROM grant_key")
    assert main(["vault", "rotate"]) == 0


def test_the_command_says_in_one_line_what_is_in_its_way(
    key_file: Path, environment: dict[str, str], owner_url: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch,
    free_port: int,
):  # fmt: skip
    command(environment, owner_url, monkeypatch)
    monkeypatch.setenv("VAULT_KEY_PROVIDER", "transit")
    monkeypatch.setenv("VAULT_TRANSIT_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("VAULT_TRANSIT_TOKEN_FILE", str(key_file))
    assert main(["vault", "rotate"]) == 1
    assert capsys.readouterr().err == (
        "signoff: the key that wraps now cannot be used: Vault does not answer as it should (ConnectError)\n"
    )
    monkeypatch.setenv("DATABASE_OWNER_URL_AUTH_KEYS", f"postgresql://auth_keys_owner:secret@127.0.0.1:{free_port}/x")
    assert main(["vault", "status"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("signoff: the database of keys does not answer")
    assert (error.count("\n"), "secret" in error) == (1, False)
