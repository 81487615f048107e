"""The security log of an account: what was done with the keys to it, when, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

PLACE_KEPT = timedelta(days=90)
"""Network address and user agent are known this long: a promise to the people they belong to."""

EVENTS_KEPT = timedelta(days=365)
"""That something happened is known for a year, so that a break-in that is noticed late can still be understood."""

PAGE = 100
"""Events that are shown at once."""


class SecurityKind(StrEnum):
    """What happened."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    LOCKED_OUT = "locked_out"
    PRESENCE_PROVED = "presence_proved"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a word, not a password
    ADDRESS_CHANGED = "address_changed"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REPLACED = "api_key_replaced"
    API_KEY_REVOKED = "api_key_revoked"
    DATA_EXPORTED = "data_exported"


@dataclass(frozen=True)
class SecurityEvent:
    """One line of the log. The last three are null once they are 90 days old, or where nothing was known."""

    event_id: UUID
    kind: SecurityKind
    occurred_at: datetime
    session_id: UUID | None
    client_address: str | None
    device: str | None
    user_agent: str | None


class Familiarity(StrEnum):
    """What an account's sign-ins and changes of password in the last 90 days say about a device in a network.

    Who has proved by mail to own the address is known there, and so gets past what others' guesses have locked.
    """

    FIRST = "first"
    NEW = "new"
    FAMILIAR = "familiar"
