"""The vault: what is sealed opens in its own place only, and a wrong key file stops the start."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from auth.adapters.key_file import KeyFile
from auth.adapters.keys import StoredKeys
from auth.adapters.vault import EnvelopeVault
from auth.domain.vault import (
    KEY_LOST,
    UNREADABLE,
    KeyUnusable,
    NotOpened,
    SealedGrant,
    authorisation_context,
    choice_context,
    grant_context,
    key_context,
)
from auth.main import create_app
from auth.ports.store import Transactions
from kit.database import Scope
from kit.ids import new_id
from kit.keys import write_private
from kit.settings import SettingError

from services.auth.tests.client import Room

Rows = psycopg.Connection[Any]
PLAIN = b"an access token"


async def sealed_for(vault: EnvelopeVault, connection_id: UUID) -> SealedGrant:
    return await vault.seal_grant(PLAIN, connection_id=connection_id, workspace_id=new_id(), generation=1)


@pytest.mark.promise("P22")
async def test_a_grant_opens_with_its_own_key_and_context_only(vault: EnvelopeVault):
    mine, other = new_id(), new_id()
    sealed, elsewhere = await sealed_for(vault, mine), await sealed_for(vault, other)
    assert (await vault.open_grant(sealed)).plain == PLAIN
    for changed in (
        replace(sealed, connection_id=other),
        replace(sealed, generation=2),
        replace(sealed, data_key_id=elsewhere.data_key_id),
        replace(sealed, ciphertext=sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1])),
    ):
        with pytest.raises(NotOpened, match=UNREADABLE):
            await vault.open_grant(changed)


@pytest.mark.promise("P22")
def test_what_a_seal_is_bound_to_differs_by_use_owner_and_generation():
    """Each of two bindings alone keeps a grant in its place, so neither shows that the other is gone."""
    owners, hashes = (new_id(), new_id()), (os.urandom(32), os.urandom(32))
    contexts = [key_context(owner) for owner in (*owners, *hashes)]
    contexts += [grant_context(owner, generation) for owner in owners for generation in (1, 2, 11)]
    contexts += [bind(each) for each in hashes for bind in (authorisation_context, choice_context)]
    assert len(set(contexts)) == len(contexts)


@pytest.mark.promise("P22")
async def test_every_connection_has_a_key_and_every_seal_a_nonce(vault: EnvelopeVault, keys: StoredKeys):
    connection_id = new_id()
    first, second = await sealed_for(vault, connection_id), await sealed_for(vault, connection_id)
    wrapped = await keys.find([first.data_key_id, second.data_key_id])
    assert wrapped[first.data_key_id].wrapped_key != wrapped[second.data_key_id].wrapped_key
    again = (await vault.open_grant(first)).seal_next(PLAIN)
    assert len({first.nonce, second.nonce, again.nonce}) == 3
    assert len(first.nonce) == 12
    assert PLAIN not in first.ciphertext + wrapped[first.data_key_id].wrapped_key
    renewed = SealedGrant(connection_id, 2, first.data_key_id, again.nonce, again.ciphertext)
    assert (await vault.open_grant(renewed)).plain == PLAIN


@pytest.mark.promise("P22")
async def test_what_was_opened_has_no_printed_form(vault: EnvelopeVault):
    opened = await vault.open_grant(await sealed_for(vault, new_id()))
    assert "access" not in f"{opened} {opened!r}"


async def test_a_destroyed_key_is_lost_and_hinders_no_other_grant(vault: EnvelopeVault):
    mine, other = await sealed_for(vault, new_id()), await sealed_for(vault, new_id())
    await vault.destroy(mine.data_key_id)
    opened = await vault.open_grants([mine, other])
    lost, kept = opened[mine.connection_id], opened[other.connection_id]
    assert isinstance(lost, NotOpened)
    assert lost.code == KEY_LOST
    assert not isinstance(kept, NotOpened)
    assert kept.plain == PLAIN


async def test_another_key_file_opens_nothing_and_condemns_nothing(
    vault: EnvelopeVault, keys: StoredKeys, tmp_path: Path
):
    sealed = await sealed_for(vault, new_id())
    other = tmp_path / "other.key"
    write_private(other, base64.b64encode(os.urandom(32)))
    with pytest.raises(KeyUnusable):
        await EnvelopeVault(KeyFile(other), keys).open_grant(sealed)


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (None, 0o600, "no such file"),
        (b"", 0o600, "1 to 16 keys"),
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
    tables = ("connection", "sealed_grant", "lease", "authorisation")

    async def seen(scope: Scope) -> list[int]:
        async with transactions(scope) as store:
            transaction = store._transaction  # type: ignore[attr-defined]
            return [await transaction.scalar(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608

    assert await seen(Scope.workspace(room.workspace_id)) == [1, 1, 1, 1]
    assert await seen(Scope.workspace(other)) == [0, 0, 0, 0]
    assert await seen(Scope.account(room.account_id)) == [0, 0, 0, 1]
    assert await seen(Scope.nobody()) == [0, 0, 0, 0]


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
