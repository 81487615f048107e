"""The vault: what is sealed opens in its own place only, and a wrong key file stops the start."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from auth.adapters.vault import EnvelopeVault, KeyFile
from auth.domain.vault import Ciphertext, SealedGrant, WrappedKey, grant_context, key_context
from auth.main import create_app
from auth.ports.store import Transactions
from cryptography.exceptions import InvalidTag
from kit.database import Scope
from kit.ids import new_id
from kit.settings import SettingError

from services.auth.tests.client import Room

Rows = psycopg.Connection[Any]
PLAIN = b"an access token"


@pytest.fixture
def vault() -> EnvelopeVault:
    return EnvelopeVault(KeyFile(os.urandom(32)))


async def sealed_for(vault: EnvelopeVault, connection_id: Any, generation: int = 1) -> SealedGrant:
    key = await vault.new_key(context=key_context(connection_id))
    text = await vault.seal(
        PLAIN, key, key_context=key_context(connection_id), context=grant_context(connection_id, generation)
    )
    return SealedGrant.of(connection_id, generation, key, text)


@pytest.mark.promise("P22")
async def test_a_grant_opens_with_its_own_key_and_context_only(vault: EnvelopeVault):
    mine, other = new_id(), new_id()
    sealed = await sealed_for(vault, mine)
    elsewhere = await sealed_for(vault, other)

    async def open_as(text: Ciphertext, key: WrappedKey, owner: Any, generation: int) -> bytes:
        return await vault.open(text, key, key_context=key_context(owner), context=grant_context(owner, generation))

    assert await open_as(sealed.text, sealed.key, mine, 1) == PLAIN
    flipped = Ciphertext(sealed.nonce, sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]))
    for text, key, owner, generation in (
        (sealed.text, sealed.key, other, 1),
        (sealed.text, sealed.key, mine, 2),
        (sealed.text, elsewhere.key, mine, 1),
        (flipped, sealed.key, mine, 1),
    ):
        with pytest.raises(InvalidTag):
            await open_as(text, key, owner, generation)


@pytest.mark.promise("P22")
async def test_every_connection_has_a_key_and_every_seal_a_nonce(vault: EnvelopeVault):
    connection_id = new_id()
    first, second = await sealed_for(vault, connection_id), await sealed_for(vault, connection_id)
    assert first.wrapped_key != second.wrapped_key
    again = await vault.seal(PLAIN, first.key, key_context=key_context(connection_id), context=b"x")
    assert len({first.nonce, second.nonce, again.nonce}) == 3
    assert len(first.nonce) == 12
    assert PLAIN not in first.ciphertext + first.wrapped_key


async def test_another_key_encryption_key_opens_nothing(vault: EnvelopeVault):
    connection_id = new_id()
    sealed = await sealed_for(vault, connection_id)
    with pytest.raises(InvalidTag):
        await EnvelopeVault(KeyFile(os.urandom(32))).open(
            sealed.text,
            sealed.key,
            key_context=key_context(connection_id),
            context=grant_context(connection_id, 1),
        )


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (None, 0o600, "no such file"),
        (b"", 0o600, "32 bytes in base64"),
        (base64.b64encode(bytes(31)), 0o600, "32 bytes in base64"),
        (b"not base64 at all!", 0o600, "32 bytes in base64"),
        (base64.b64encode(bytes(32)), 0o644, "everybody can read"),
    ],
)
def test_a_wrong_key_file_is_told_in_one_line(
    environment: dict[str, str], tmp_path: Path, content: bytes | None, mode: int, complaint: str
):
    file = tmp_path / "vault.key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(SettingError, match=complaint) as refused:
        create_app(environment | {"VAULT_KEY_FILE": str(file)})
    assert "\n" not in str(refused.value)


@pytest.mark.promise("P12")
async def test_no_scope_sees_the_vault_of_another_workspace(room: Room, transactions: Transactions):
    connection_id = await room.connect()
    await room.borrow(connection_id)
    await room.leave()
    other = await room.auth.create_workspace(await room.auth.sign_up("other@example.com"), "Birch")
    tables = ("connection", "sealed_grant", "data_key", "lease", "authorisation")

    async def seen(scope: Scope) -> list[int]:
        async with transactions(scope) as store:
            transaction = store._transaction  # type: ignore[attr-defined]
            return [await transaction.scalar(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608

    assert await seen(Scope.workspace(room.workspace_id)) == [1, 1, 1, 1, 1]
    assert await seen(Scope.workspace(other)) == [0, 0, 0, 0, 0]
    assert await seen(Scope.account(room.account_id)) == [0, 0, 0, 0, 1]
    assert await seen(Scope.nobody()) == [0, 0, 0, 0, 0]


@pytest.mark.promise("P12")
async def test_no_scope_writes_into_the_vault_of_another_workspace(room: Room, transactions: Transactions):
    connection_id = await room.connect()
    other = await room.auth.create_workspace(room.account_id, "Birch")
    async with transactions(Scope.workspace(other)) as store:
        changed = await store._transaction.execute("UPDATE sealed_grant SET generation = 99")  # type: ignore[attr-defined]
    assert changed == 0
    async with transactions(Scope.worker()) as store:
        found = await store.grants.find(connection_id)
        assert found is not None
        assert found.generation == 1
