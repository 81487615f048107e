"""Everything auth holds: what it is for, how long it stays, and how a subject is found in it.

In the order of erasing: what points at others first.
"""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import DataMap, Delete, Kind, Table

_BY_CONNECTION = Delete("connection_id = %(subject)s")
_BY_WORKSPACE = Delete("workspace_id = %(subject)s")
_BY_ACCOUNT = Delete("account_id = %(subject)s")
_OF_CONNECTION = {SubjectKind.CONNECTION: _BY_CONNECTION, SubjectKind.WORKSPACE: _BY_WORKSPACE}

_LEASE = Table(
    "lease",
    purpose="Which service holds a grant right now, so that a disconnect can wait for it.",
    retention="Until it is returned, 30 seconds at most; swept within a minute.",
    columns={
        "lease_id": Kind.ID,
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "borrower": Kind.STATE,
        "expires_at": Kind.TIME,
    },
    subjects=_OF_CONNECTION,
)
_DATA_KEY = Table(
    "data_key",
    purpose="The key that opens one connection's grant, itself wrapped by the key-encryption key.",
    retention="Destroyed in the transaction that ends the connection.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "wrapped_key": Kind.SECRET,
        "key_id": Kind.ID,
        "created_at": Kind.TIME,
    },
    subjects=_OF_CONNECTION,
)
_SEALED_GRANT = Table(
    "sealed_grant",
    purpose="The encrypted tokens behind a connection.",
    retention="Destroyed in the transaction that ends the connection.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "generation": Kind.STATE,
        "nonce": Kind.SECRET,
        "ciphertext": Kind.SECRET,
        "sealed_at": Kind.TIME,
    },
    subjects=_OF_CONNECTION,
)
_AUTHORISATION = Table(
    "authorisation",
    purpose="An authorisation that a person has started at a platform and not come back from.",
    retention="10 minutes; swept within another one, or used up by the callback.",
    columns={
        "state_hash": Kind.SECRET,
        "workspace_id": Kind.ID,
        "account_id": Kind.ID,
        "platform": Kind.STATE,
        "wrapped_key": Kind.SECRET,
        "key_id": Kind.ID,
        "nonce": Kind.SECRET,
        "ciphertext": Kind.SECRET,
        "expires_at": Kind.TIME,
    },
    subjects={SubjectKind.WORKSPACE: _BY_WORKSPACE, SubjectKind.ACCOUNT: _BY_ACCOUNT},
)
_CONNECTION = Table(
    "connection",
    purpose="One account on one platform, authorised for one workspace, as the team sees it.",
    retention="Who the account is: erased in the transaction that ends the connection. Ids, platform and how it"
    " ended: until its erasure, seconds later, so that a repeated disconnect gets the same answer.",
    columns={
        "connection_id": Kind.ID,
        "workspace_id": Kind.ID,
        "platform": Kind.STATE,
        "state": Kind.STATE,
        "external_id": Kind.PERSONAL,
        "union_id": Kind.PERSONAL,
        "handle": Kind.PERSONAL,
        "display_name": Kind.PERSONAL,
        "avatar_url": Kind.PERSONAL,
        "account_type": Kind.PERSONAL,
        "scopes": Kind.STATE,
        "expires_at": Kind.TIME,
        "established_at": Kind.TIME,
        "refresh_at": Kind.TIME,
        "refresh_attempts": Kind.STATE,
        "refreshing_until": Kind.TIME,
        "ending_reason": Kind.STATE,
        "ending_until": Kind.TIME,
        "revoked_at": Kind.TIME,
        "platform_confirmed": Kind.STATE,
        "erasure_id": Kind.ID,
    },
    subjects=_OF_CONNECTION,
)
_SESSION = Table(
    "session",
    purpose="A signed-in browser, by the hash of its token.",
    retention="14 days after its last use, 30 days at most; swept within a minute. Ended on sign-out and deletion.",
    columns={
        "session_id": Kind.ID,
        "account_id": Kind.ID,
        "token_hash": Kind.SECRET,
        "created_at": Kind.TIME,
        "last_used_at": Kind.TIME,
        "expires_at": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: _BY_ACCOUNT},
)
_CREDENTIAL = Table(
    "credential",
    purpose="What a password is checked against (Argon2id).",
    retention="While the account exists; destroyed at once when it is deleted.",
    columns={"account_id": Kind.ID, "password_hash": Kind.SECRET, "changed_at": Kind.TIME},
    subjects={SubjectKind.ACCOUNT: _BY_ACCOUNT},
)
_MEMBER = Table(
    "member",
    purpose="Who belongs to a workspace, and as what.",
    retention="While the workspace and the account exist.",
    columns={"workspace_id": Kind.ID, "account_id": Kind.ID, "role": Kind.STATE, "added_at": Kind.TIME},
    subjects={SubjectKind.WORKSPACE: _BY_WORKSPACE, SubjectKind.ACCOUNT: _BY_ACCOUNT},
)
_WORKSPACE = Table(
    "workspace",
    purpose="A brand's room.",
    retention="Until its erasure, once it is deleted.",
    columns={
        "workspace_id": Kind.ID,
        "name": Kind.CONTENT,
        "time_zone": Kind.STATE,
        "created_at": Kind.TIME,
        "deleted_at": Kind.TIME,
        "closed_by": Kind.ID,
    },
    subjects={SubjectKind.WORKSPACE: _BY_WORKSPACE},
)
_ACCOUNT = Table(
    "account",
    purpose="A person who can sign in, and what they told about themself.",
    retention="Until its erasure, once it is deleted.",
    columns={
        "account_id": Kind.ID,
        "email": Kind.PERSONAL,
        "full_name": Kind.PERSONAL,
        "company": Kind.PERSONAL,
        "time_zone": Kind.PERSONAL,
        "language": Kind.PERSONAL,
        "age_attested_at": Kind.TIME,
        "created_at": Kind.TIME,
        "deleted_at": Kind.TIME,
        "closing_until": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: _BY_ACCOUNT},
)

DATA_MAP = DataMap(
    "auth",
    tables=(
        _LEASE,
        _DATA_KEY,
        _SEALED_GRANT,
        _AUTHORISATION,
        _CONNECTION,
        _SESSION,
        _CREDENTIAL,
        _MEMBER,
        _WORKSPACE,
        _ACCOUNT,
    ),
)
