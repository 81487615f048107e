"""Step-up: what is delicate needs a proof, not long ago, that the person themself is at the session."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from kit.problems import Problem

RECENT = timedelta(minutes=15)
"""Long enough for one errand in the settings, short enough that a browser left open does not become somebody else's."""


class PresenceNeeded(Problem):
    """The session is good, but its holder must prove again that it is them."""

    status = HTTPStatus.FORBIDDEN
    code = "presence-needed"
    title = "Prove again that it is you"


class SecondFactorRequired(Problem):
    """The workspace is open only to sessions in which a second factor was given."""

    status = HTTPStatus.FORBIDDEN
    code = "second-factor-required"
    title = "This workspace asks for a second factor"


def is_recent(proved_at: datetime | None, now: datetime) -> bool:
    return proved_at is not None and now < proved_at + RECENT
