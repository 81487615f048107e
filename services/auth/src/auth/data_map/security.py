"""Counted failures, and what was done with the keys to an account."""

from __future__ import annotations

from contracts.retention import SubjectKind
from kit.erasure import Kind, Table

from auth.data_map.subjects import BY_ACCOUNT

_SECURITY_EVENT = Table(
    "security_event",
    purpose="What was done with the keys to an account, from where, so that its owner can see a stranger and a familiar"
    " device is known again.",
    retention="Network address, network, device and user agent for 90 days, the event itself for a year; swept within a"
    " minute.",
    columns={
        "event_id": Kind.ID,
        "account_id": Kind.ID,
        "kind": Kind.STATE,
        "occurred_at": Kind.TIME,
        "session_id": Kind.ID,
        "client_address": Kind.PERSONAL,
        "client_network": Kind.PERSONAL,
        "device": Kind.PERSONAL,
        "user_agent": Kind.PERSONAL,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)
_ATTEMPT = Table(
    "attempt",
    purpose="How often a secret was guessed wrongly, by a keyed hash of the account or network it was tried for.",
    retention="A day after the last failure; swept within a minute.",
    columns={
        "key": Kind.ID,
        "account_id": Kind.ID,
        "failures": Kind.STATE,
        "failed_at": Kind.TIME,
        "blocked_until": Kind.TIME,
    },
    subjects={SubjectKind.ACCOUNT: BY_ACCOUNT},
)

TABLES = (_SECURITY_EVENT, _ATTEMPT)
