"""Second factors and the challenges for them in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit.database import Transaction

from auth.domain.second_factors import (
    UNCONFIRMED_LIFETIME,
    Ceremony,
    Enrolled,
    NewPasskey,
    OwnPasskey,
    Passkey,
    Totp,
)
from auth.domain.vault import SealedGrant


class StoredCeremonies:
    """Implements `auth.ports.second_factors.Ceremonies`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, ceremony: Ceremony) -> None:
        await self._transaction.execute(
            "INSERT INTO ceremony (token_hash, account_id, purpose, challenge, expires_at) VALUES (%s, %s, %s, %s, %s)",
            (ceremony.token_hash, ceremony.account_id, ceremony.purpose, ceremony.challenge, ceremony.expires_at),
        )

    async def find(self, token_hash: bytes) -> Ceremony | None:
        return await self._transaction.first(
            Ceremony,
            "SELECT token_hash, account_id, purpose, challenge, expires_at FROM ceremony_of(%s)",
            (token_hash,),
        )

    async def end(self, token_hash: bytes) -> bool:
        return bool(await self._transaction.scalar("SELECT end_ceremony(%s)", (token_hash,)))


class StoredSecondFactors:
    """Implements `auth.ports.second_factors.SecondFactors`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def enrolled(self, account_id: UUID) -> Enrolled:
        found = await self._transaction.first(
            Enrolled,
            "SELECT EXISTS (SELECT 1 FROM totp WHERE account_id = %(id)s AND confirmed_at IS NOT NULL) AS app,"
            " (SELECT count(*) FROM passkey WHERE account_id = %(id)s) AS passkeys,"
            " (SELECT count(*) FROM recovery_code WHERE account_id = %(id)s) AS recovery_codes",
            {"id": account_id},
        )
        assert found is not None
        return found

    async def app(self, account_id: UUID) -> Totp | None:
        return await self._transaction.first(
            Totp,
            "SELECT account_id, data_key_id, nonce, ciphertext, confirmed_at, last_step FROM totp"
            " WHERE account_id = %s",
            (account_id,),
        )

    async def put_app(self, account_id: UUID, sealed: SealedGrant, *, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "INSERT INTO totp (account_id, data_key_id, nonce, ciphertext, created_at) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (account_id) DO UPDATE SET data_key_id = excluded.data_key_id, nonce = excluded.nonce,"
                " ciphertext = excluded.ciphertext, created_at = excluded.created_at WHERE totp.confirmed_at IS NULL",
                (account_id, sealed.data_key_id, sealed.nonce, sealed.ciphertext, at),
            )
        )

    async def confirm_app(self, account_id: UUID, data_key_id: UUID, *, step: int, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE totp SET confirmed_at = %s, last_step = %s"
                " WHERE account_id = %s AND data_key_id = %s AND confirmed_at IS NULL",
                (at, step, account_id, data_key_id),
            )
        )

    async def use_step(self, account_id: UUID, step: int) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE totp SET last_step = %s WHERE account_id = %s AND confirmed_at IS NOT NULL AND last_step < %s",
                (step, account_id, step),
            )
        )

    async def remove_app(self, account_id: UUID) -> Totp | None:
        return await self._transaction.first(
            Totp,
            "DELETE FROM totp WHERE account_id = %s"
            " RETURNING account_id, data_key_id, nonce, ciphertext, confirmed_at, last_step",
            (account_id,),
        )

    async def put_recovery_codes(self, account_id: UUID, hashes: Sequence[bytes], *, at: datetime) -> None:
        await self._transaction.execute("DELETE FROM recovery_code WHERE account_id = %s", (account_id,))
        await self._transaction.execute_many(
            "INSERT INTO recovery_code (account_id, code_hash, created_at) VALUES (%s, %s, %s)",
            [(account_id, code_hash, at) for code_hash in hashes],
        )

    async def has_recovery_code(self, account_id: UUID, code_hash: bytes) -> bool:
        found = await self._transaction.scalar(
            "SELECT 1 FROM recovery_code WHERE account_id = %s AND code_hash = %s", (account_id, code_hash)
        )
        return found is not None

    async def use_recovery_code(self, account_id: UUID, code_hash: bytes) -> bool:
        return bool(
            await self._transaction.execute(
                "DELETE FROM recovery_code WHERE account_id = %s AND code_hash = %s", (account_id, code_hash)
            )
        )


class StoredPasskeys:
    """Implements `auth.ports.second_factors.Passkeys`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, passkey_id: UUID, account_id: UUID, passkey: NewPasskey, *, name: str, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "INSERT INTO passkey (passkey_id, account_id, credential_id, public_key, sign_count, backed_up, name,"
                " created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    passkey_id, account_id, passkey.credential_id, passkey.public_key, passkey.sign_count,
                    passkey.backed_up, name, at,
                ),
            )
        )  # fmt: skip

    async def find(self, credential_id: bytes) -> Passkey | None:
        return await self._transaction.first(
            Passkey, "SELECT credential_id, account_id, public_key, sign_count FROM passkey_of(%s)", (credential_id,)
        )

    async def credential_ids(self, account_id: UUID) -> list[bytes]:
        return await self._transaction.scalars(
            "SELECT credential_id FROM passkey WHERE account_id = %s ORDER BY created_at", (account_id,)
        )

    async def of_account(self, account_id: UUID) -> list[OwnPasskey]:
        return await self._transaction.all(
            OwnPasskey,
            "SELECT passkey_id, name, backed_up, created_at, last_used_at FROM passkey WHERE account_id = %s"
            " ORDER BY created_at, passkey_id",
            (account_id,),
        )

    async def use(self, passkey: Passkey, *, sign_count: int, at: datetime) -> bool:
        return bool(
            await self._transaction.execute(
                "UPDATE passkey SET sign_count = %s, last_used_at = %s WHERE credential_id = %s AND sign_count = %s",
                (sign_count, at, passkey.credential_id, passkey.sign_count),
            )
        )

    async def remove(self, passkey_id: UUID) -> bool:
        return bool(await self._transaction.execute("DELETE FROM passkey WHERE passkey_id = %s", (passkey_id,)))


async def forget_ceremonies(transaction: Transaction, now: datetime) -> None:
    """Delete challenges that are over, and authenticator apps that nobody confirmed."""
    await transaction.execute("DELETE FROM ceremony WHERE expires_at <= %s", (now,))
    await transaction.execute(
        "DELETE FROM totp WHERE confirmed_at IS NULL AND created_at <= %s", (now - UNCONFIRMED_LIFETIME,)
    )
