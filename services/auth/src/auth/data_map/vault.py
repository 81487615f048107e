"""Grants, the keys that open them, and who borrows them."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_CONNECTION, OF_CONNECTION

_LEASE = Table(
    "lease",
    purpose="Which service holds a grant right now and what for, so that a disconnect can wait for it.",
    retention="Until it is returned, 30 seconds at most; swept within a minute.",
    columns={
        "lease_id": Kind.ID,
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "borrower": Kind.STATE,
        "purpose": Kind.STATE,
        "expires_at": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)
_BORROWING = Table(
    "borrowing",
    purpose="How often which service had a connection's grant on a day and what for, so that its workspace can see.",
    retention="30 days; until the erasure of the connection, once it ended.",
    columns={
        "connection_id": Kind.ID,
        "borrower": Kind.STATE,
        "purpose": Kind.STATE,
        "day": Kind.TIME,
        "workspace_id": Kind.ID,
        "times": Kind.STATE,
        "last_at": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)
_DATA_KEY = Table(
    "data_key",
    purpose="Where keys of grants lay before they got a database of their own.",
    retention="Empty: what an earlier release stored is moved at the first start.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "wrapped_key": Kind.SECRET,
        "key_id": Kind.ID,
        "created_at": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)
_SEALED_GRANT = Table(
    "sealed_grant",
    purpose="The encrypted tokens behind a connection.",
    retention="Destroyed in the transaction that ends the connection, after its key. Of a grant that the platform ended"
    " or declared dead the ciphertext goes at once; its generation stays with the connection.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "generation": Kind.STATE,
        "data_key_id": Kind.ID,
        "nonce": Kind.SECRET,
        "ciphertext": Kind.SECRET,
        "sealed_at": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)

_GRANT_KEY = Table(
    "grant_key",
    purpose="The key that opens one connection's grant, itself wrapped by the key-encryption key. The secret of an"
    " authenticator app has one too, with the account in the connection's place.",
    retention="Destroyed when the connection ends, before anything else of it; replaced ones and those of a connecting"
    " that did not finish: at once, within 70 minutes after a crash. Their backups live for seven days.",
    columns={
        "data_key_id": Kind.ID,
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "wrapped_key": Kind.SECRET,
        "key_id": Kind.ID,
        "created_at": Kind.TIME,
        "wrapped_at": Kind.TIME,
    },
    subjects=OF_CONNECTION | {SubjectKind.ACCOUNT: BY_CONNECTION},
)

TABLES = (_LEASE, _BORROWING, _DATA_KEY, _SEALED_GRANT)
KEY_TABLES = (_GRANT_KEY,)
"""In the database of keys."""
