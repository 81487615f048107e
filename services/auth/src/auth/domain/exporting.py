"""A person's copy of all that auth holds about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from kit.holdings import Held
from kit.problems import Problem

EXPORTS_MAX = 5
"""Each reads every table. Somebody who saves it wrongly has some more tries."""

EXPORT_PERIOD = timedelta(days=1)


class TooManyExports(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-exports"
    title = "Your data has been exported several times today"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(math.ceil(EXPORT_PERIOD.total_seconds()))})


@dataclass(frozen=True)
class AccountExport:
    """What is held about the person of an account, table by table, as of `exported_at`."""

    account_id: UUID
    exported_at: datetime
    held: Sequence[Held]
