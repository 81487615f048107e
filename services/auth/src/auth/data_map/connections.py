"""Connections, and authorisations on their way."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT, BY_WORKSPACE, OF_CONNECTION

_AUTHORISATION = Table(
    "authorisation",
    purpose="An authorisation that a person has started at a platform and not come back from, or whose accounts they"
    " have not chosen from yet: then its grant and the accounts are sealed in it.",
    retention="10 minutes; swept within another one, or used up by the callback or the choice. A grant that nobody has"
    " chosen from is ended at the platform then.",
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
        "stage": Kind.STATE,
    },
    subjects={SubjectKind.WORKSPACE: BY_WORKSPACE, SubjectKind.ACCOUNT: BY_ACCOUNT},
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
        "bond": Kind.PERSONAL,
        "ends_at": Kind.TIME,
        "failing_since": Kind.TIME,
        "is_overdue": Kind.STATE,
        "notice": Kind.STATE,
        "noticed_at": Kind.TIME,
        "reauth_reason": Kind.STATE,
        "unconfirmed_because": Kind.STATE,
        "dead_since": Kind.TIME,
        "confirmed_at": Kind.TIME,
    },
    subjects=OF_CONNECTION,
)

TABLES = (_AUTHORISATION, _CONNECTION)
