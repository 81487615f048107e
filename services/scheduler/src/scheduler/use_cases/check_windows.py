"""Which windows are taken as blackouts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit.problems import Invalid

from scheduler.domain.blackouts import AHEAD_MAX, LENGTH_MAX, Window
from scheduler.ports import Connections
from scheduler.use_cases.timing import fault, known_zone


async def check_windows(
    workspace_id: UUID,
    windows: Sequence[Window],
    *,
    connection_ids: Sequence[UUID] | None,
    connections: Connections,
    now: datetime,
) -> None:
    """Raise `Invalid`, or `Unavailable` if auth does not answer. All windows have one zone and these connections.

    Asks auth, so it is done before the unit of work is opened.
    """
    shown = now.astimezone(known_zone(windows[0].time_zone)).replace(tzinfo=None)
    errors = [
        fault(f"/windows/{index}/{wrong[0]}", wrong[1])
        for index, window in enumerate(windows)
        if (wrong := _wrong(window, shown, now))
    ]
    if connection_ids is not None:
        there = await connections.of_workspace(workspace_id)
        errors += [
            fault(f"/connection_ids/{index}", "There is no such connection in this workspace.")
            for index, connection_id in enumerate(connection_ids)
            if connection_id not in there
        ]
    if errors:
        raise Invalid(errors=errors)


def _wrong(window: Window, shown: datetime, now: datetime) -> tuple[str, str] | None:
    """What is wrong where. `shown`: what the clock of its zone shows now."""
    if window.ends_at <= window.starts_at:
        return "ends_at", "This is not behind its beginning."
    if window.ends_at - window.starts_at > LENGTH_MAX:
        return "ends_at", f"This is more than {LENGTH_MAX.days} days behind its beginning."
    if window.overlaps_itself():
        return "ends_at", "It would begin again before it has ended."
    if window.starts_at > shown + AHEAD_MAX:
        return "starts_at", f"This is more than {AHEAD_MAX.days} days ahead."
    if window.is_over(now):
        return "ends_at", "This has passed."
    return None
