"""People whom an external OpenID provider vouches for."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT

_START = Table(
    "openid_start",
    purpose="A sign-in that somebody has started at a provider and not come back from, by hashes of the state and of"
    " the browser's token.",
    retention="10 minutes; swept within another one, or used up by the callback.",
    columns={
        "state_hash": Kind.SECRET,
        "browser_hash": Kind.SECRET,
        "provider": Kind.STATE,
        "purpose": Kind.STATE,
        "account_id": Kind.ID,
        "session_id": Kind.ID,
        "expires_at": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_WAITING = Table(
    "openid_waiting",
    purpose="A new person whom a provider vouched for and who has not attested their age yet; no account so far.",
    retention="10 minutes; swept within another one, or used up by the completed account.",
    columns={
        "account_id": Kind.ID,
        "browser_hash": Kind.SECRET,
        "issuer": Kind.STATE,
        "subject": Kind.PERSONAL,
        "email": Kind.PERSONAL,
        "full_name": Kind.PERSONAL,
        "expires_at": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_IDENTITY = Table(
    "identity",
    purpose="Who at which provider may sign in to an account.",
    retention="Until it is unlinked; destroyed at once when the account is deleted.",
    columns={
        "identity_id": Kind.ID,
        "account_id": Kind.ID,
        "issuer": Kind.STATE,
        "subject": Kind.PERSONAL,
        "email": Kind.PERSONAL,
        "linked_at": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)

TABLES = (_START, _WAITING, _IDENTITY)
