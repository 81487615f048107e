"""A connection works, needs its person, or is gone: its publications go on, are held, or are taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from publisher.domain.connection import Connection, ConnectionState
from publisher.domain.publication import Publication, State
from publisher.domain.verdicts import revoked
from publisher.domain.waiting import hold, resume
from publisher.ports import Store
from publisher.use_cases.settle import write


async def follow_connection(connection: Connection, *, store: Store, now: datetime) -> None:
    """Keep what auth told, and apply it to every open publication of the connection."""
    known = await store.connection(connection.connection_id)
    if known is not None and known.platform and not connection.platform:
        connection = Connection(connection.connection_id, connection.workspace_id, known.platform, connection.state)
    await store.keep_connection(connection)
    change = _change(connection.state, now)
    open_ = await store.lock_open_of_connection(connection.connection_id)
    # The call that is under way answers for itself; its next step asks auth again.
    await write([(each, change(each)) for each in open_ if each.state is not State.PUBLISHING], store=store)


def _change(state: ConnectionState, now: datetime) -> Callable[[Publication], Publication]:
    match state:
        case ConnectionState.ACTIVE:
            return lambda publication: resume(publication, now)
        case ConnectionState.REAUTH_REQUIRED:
            return lambda publication: hold(publication, now)
        case ConnectionState.REVOKED:
            return revoked
