"""What grants are lent for, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from contracts.leases import Purpose
from kit.problems import Problem

PURPOSES: Mapping[str, tuple[Purpose, ...]] = {
    # Its auditor compares what it believes with what the platform shows, and that is reading.
    "publisher": (Purpose.PUBLISH, Purpose.READ_METRICS),
    "metrics": (Purpose.READ_METRICS,),
}
"""What each borrower may ask a grant for; the first is meant where it does not say."""

BORROWINGS_KEPT = timedelta(days=30)
"""How long it can be seen what a connection's grant was lent for."""


class PurposeRefused(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "purpose-refused"
    title = "This service may not have a grant for that"


def purpose_of(borrower: str, asked: Purpose | None) -> Purpose:
    """What the grant is lent for. Raises `PurposeRefused`."""
    allowed = PURPOSES[borrower]
    purpose = asked or allowed[0]
    if purpose not in allowed:
        raise PurposeRefused()
    return purpose
