"""What is stored of mail on its way."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from auth.domain.letters import Letter


class Letters(Protocol):
    """Mail that waits to be sent."""

    async def add(self, letter: Letter, *, at: datetime) -> None:
        """Send it once the transaction commits. Any scope may."""
