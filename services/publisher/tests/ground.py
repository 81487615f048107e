"""What a worker needs to work on the real database by hand, without the servers around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from contracts.sealing import SealedRevision
from kit.clock import MovableClock
from kit.database import Database, Scope, Units
from kit.keys import SealingKey, TrustedKeys
from kit.secret import Secret
from platforms.shape import PlatformName
from publisher import ports
from publisher.adapters.journal import PostgresJournals, Seals
from publisher.adapters.store import Store
from publisher.jobs.call_slots import CallSlots
from publisher.ports import Means

from services.publisher.tests.fakes import FakePlatform
from services.publisher.tests.neighbours import Content


@dataclass
class Ground:
    """What all runs share: one database, and content that has one revision approved for each."""

    runner: asyncio.Runner
    units: Units[Store]
    means: Means
    content: Content
    revisions: Revisions
    clock: MovableClock

    def now(self) -> float:
        """The monotonic time, had the clock's leaps been waited for."""
        return time.monotonic() + (self.clock.now().timestamp() - time.time())


class Revisions:
    """content, with one revision."""

    current: SealedRevision

    async def find(self, workspace_id: UUID, revision_id: UUID) -> SealedRevision:
        return self.current

    def signed(self, message: bytes, signature: bytes) -> bool:
        return True


@contextmanager
def laid_ground(
    environment: dict[str, str], clock: MovableClock, content: Content, trusted: TrustedKeys
) -> Iterator[Ground]:
    """A ground over the database of `environment`. Its means lack what each worker brings itself."""
    database = Database("publisher", Secret(environment["DATABASE_URL_PUBLISHER"]), clock, connections_max=4)
    units = Units(database, Store)
    seals = Seals(trusted, SealingKey.load(Path(environment["SEALING_KEY_FILE_PUBLISHER"])))
    revisions = Revisions()
    means = Means(
        work=cast("Callable[[], AbstractAsyncContextManager[ports.Store]]", lambda: units(Scope.worker())),
        settlements=cast("ports.Settlements", None),
        clock=clock,
        revisions=revisions,
        media=cast("ports.MediaStore", None),
        grants=cast("ports.Grants", None),
        journals=PostgresJournals(database, seals, {PlatformName.BLUESKY: cast("Any", FakePlatform())}),
        platforms=cast("ports.PlatformCalls", None),
        removing=cast("ports.Removing", None),
        call_slots=CallSlots(),
    )
    with asyncio.Runner() as runner:
        runner.run(database.open())
        yield Ground(runner, units, means, content, revisions, clock)
        runner.run(database.close())
