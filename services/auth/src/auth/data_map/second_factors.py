"""Second factors, and the challenges for them."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT

_OF_ACCOUNT = {SubjectKind.ACCOUNT: BY_ACCOUNT}

_CEREMONY = Table(
    "ceremony",
    purpose="A challenge that a second factor or a passkey is to answer, once.",
    retention="Until it is answered, five minutes at most; swept within a minute.",
    columns={
        "token_hash": Kind.SECRET,
        "account_id": Kind.ID,
        "purpose": Kind.STATE,
        "challenge": Kind.SECRET,
        "expires_at": Kind.TIME,
    },
    subjects=_OF_ACCOUNT,
)
_TOTP = Table(
    "totp",
    purpose="The encrypted secret that someone's authenticator app shares with us; its key lies in the keys' database.",
    retention="Until it is removed, or the account is deleted; a day if it is never confirmed.",
    columns={
        "account_id": Kind.ID,
        "data_key_id": Kind.ID,
        "nonce": Kind.SECRET,
        "ciphertext": Kind.SECRET,
        "created_at": Kind.TIME,
        "confirmed_at": Kind.TIME,
        "last_step": Kind.STATE,
    },
    subjects=_OF_ACCOUNT,
)
_PASSKEY = Table(
    "passkey",
    purpose="The public half of a passkey, which its owner's device signs challenges with.",
    retention="Until it is removed, or the account is deleted.",
    columns={
        "passkey_id": Kind.ID,
        "account_id": Kind.ID,
        "credential_id": Kind.ID,
        "public_key": Kind.STATE,
        "sign_count": Kind.STATE,
        "backed_up": Kind.STATE,
        "name": Kind.PERSONAL,
        "created_at": Kind.TIME,
        "last_used_at": Kind.TIME,
    },
    subjects=_OF_ACCOUNT,
)
_RECOVERY_CODE = Table(
    "recovery_code",
    purpose="The hash of a code that stands in for a lost second factor, once.",
    retention="Until it is used, replaced or without a factor to stand in for, or the account is deleted.",
    columns={"account_id": Kind.ID, "code_hash": Kind.SECRET, "created_at": Kind.TIME},
    subjects=_OF_ACCOUNT,
)

TABLES = (_CEREMONY, _TOTP, _PASSKEY, _RECOVERY_CODE)
