"""The clock edge: request, complete and finalise erasures; take and destroy backups."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from kit.background import Loop
from kit.clock import Clock
from kit.database import Scope, Units

from retention.domain.backup import STALE, DumpFailed, Part, key_of, prefix_of, rotation_of
from retention.domain.erasure import BATCH_MAX, OpenErasure
from retention.domain.policy import PROOF_KEPT, Rotation
from retention.ports import Archive, Away, Dumper, Ledger, Store, Streams
from retention.use_cases.back_up import adopt_backups, begin_backup, expire_backup, finish_backup, manifest_of
from retention.use_cases.complete_erasures import Sign, complete_erasure, finalise_erasure
from retention.use_cases.open_erasure import reopen_erasure
from retention.use_cases.request_erasures import recall_ended, repeat_requests, request_due, warn_overdue

log = structlog.get_logger("jobs")

LOOK_EVERY_SECONDS = 0.3
"""Short, so that an erasure is answered while its person still looks, and a moved clock is noticed."""

ROTATE_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class BackupPlace:
    """What is backed up, and where to."""

    dumper: Dumper
    archive: Archive


class ErasureJobs:
    """Moves every erasure on as far as the clock and the answers allow."""

    def __init__(
        self, units: Units[Store], streams: Streams, clock: Clock, sign: Sign, *, ledger: Ledger | None
    ) -> None:
        self._units = units
        self._streams = streams
        self._clock = clock
        self._sign = sign
        self._ledger = ledger
        self._recovered = False

    def loops(self) -> list[Loop]:
        return [Loop("requests", self.request), Loop("certificates", self.certify), Loop("forget", self.forget)]

    async def request(self) -> float:
        try:
            await self._recover()
            await self._keep_ledger()
        except Away as error:
            # What is due is requested all the same; only a restore would need the ledger.
            log.error("ledger_postponed", reason=str(error))
        async with self._units(Scope.worker()) as store:
            requested = await request_due(store, now=self._clock.now())
            await warn_overdue(store, now=self._clock.now())
        return 0 if requested == BATCH_MAX else LOOK_EVERY_SECONDS

    async def _recover(self) -> None:
        """Once at a start, which may be one after a restore: have everything erased that it may have brought back."""
        if self._recovered:
            return
        lost = await self._ledger.entries() if self._ledger else []
        async with self._units(Scope.worker()) as store:
            await repeat_requests(store)
            for entry in lost:
                await reopen_erasure(entry, store)
                await store.mark_ledger(entry.erasure_id, entered=True)
            await recall_ended(store)
        self._recovered = True

    async def _keep_ledger(self) -> None:
        """Every erasure that is not final is in the ledger, and no other."""
        if self._ledger is None:
            return
        async with self._units(Scope.worker()) as store:
            entries, final = await store.outside_ledger(BATCH_MAX), await store.final_in_ledger(BATCH_MAX)
        for entry in entries:
            await self._ledger.add(entry)
            async with self._units(Scope.worker()) as store:
                await store.mark_ledger(entry.erasure_id, entered=True)
        for erasure_id in final:
            await self._ledger.remove(erasure_id)
            async with self._units(Scope.worker()) as store:
                await store.mark_ledger(erasure_id, entered=False)

    async def certify(self) -> float:
        async with self._units(Scope.worker()) as store:
            answered = await store.answered(self._clock.now(), BATCH_MAX)
            without_backups = await store.without_backups(self._clock.now(), BATCH_MAX)
        try:
            for erasure in answered:
                await self._complete(erasure)
            for erasure in without_backups:
                await self._finalise(erasure)
        except Away as error:
            log.warning("purge_postponed", reason=str(error))
        return LOOK_EVERY_SECONDS

    async def _complete(self, erasure: OpenErasure) -> None:
        purge = await self._streams.purge(erasure)
        async with self._units(Scope.worker()) as store:
            await complete_erasure(
                erasure.erasure_id,
                purge,
                store,
                sign=self._sign,
                now=self._clock.now(),
                backups_taken=self._ledger is not None,
            )

    async def _finalise(self, erasure: OpenErasure) -> None:
        # A request repeated since, for the case of a restore, names the subject once more.
        purge = await self._streams.purge(erasure)
        if purge.clean:
            async with self._units(Scope.worker()) as store:
                await finalise_erasure(erasure.erasure_id, store, sign=self._sign, now=self._clock.now())

    async def forget(self) -> float:
        async with self._units(Scope.worker()) as store:
            await store.forget_proofs(self._clock.now() - PROOF_KEPT)
        return ROTATE_EVERY_SECONDS


class BackupJobs:
    """Takes a backup a day in each rotation that has a database, and destroys each at its end."""

    def __init__(self, units: Units[Store], place: BackupPlace, clock: Clock) -> None:
        self._units = units
        self._place = place
        self._clock = clock
        self._adopted = False
        self._taking: set[UUID] = set()

    def loops(self) -> list[Loop]:
        used = {rotation_of(store) for store in self._place.dumper.services}
        takes = [Loop(f"backups of {rotation}", partial(self.take, rotation)) for rotation in sorted(used)]
        return [*takes, Loop("rotation", self.rotate)]

    async def take(self, rotation: Rotation) -> float:
        taken_at = self._clock.now()
        async with self._units(Scope.worker()) as store:
            backup_id = await begin_backup(rotation, store, now=taken_at)
        if backup_id is None:
            return ROTATE_EVERY_SECONDS
        self._taking.add(backup_id)
        try:
            await self._take(backup_id, rotation, taken_at)
        finally:
            self._taking.remove(backup_id)
        return ROTATE_EVERY_SECONDS

    async def _take(self, backup_id: UUID, rotation: Rotation, taken_at: datetime) -> None:
        try:
            stores = [each for each in self._place.dumper.services if rotation_of(each) is rotation]
            parts = [await self._dump(backup_id, store) for store in stores]
            manifest = manifest_of(backup_id, rotation, parts, taken_at=taken_at)
            await self._place.archive.keep_manifest(manifest)
        except (DumpFailed, Away) as error:
            log.error("backup_failed", backup_id=str(backup_id), reason=str(error))
            await self._give_up(backup_id)
            return
        async with self._units(Scope.worker()) as store:
            kept = await finish_backup(manifest, store, now=self._clock.now())
        if not kept:
            await self._give_up(backup_id)

    async def rotate(self) -> float:
        try:
            await self._adopt()
        except Away as error:
            log.error("adoption_postponed", reason=str(error))
        async with self._units(Scope.worker()) as store:
            expired = await store.expired(self._clock.now())
            stale = await store.stale(self._clock.now() - STALE)
        for backup_id in stale:
            # However long ours takes, it is not one of a process that is gone.
            if backup_id not in self._taking:
                await self._give_up(backup_id)
        for backup_id in expired:
            try:
                await self._place.archive.destroy(prefix_of(backup_id))
            except Away as error:
                log.error("rotation_failed", backup_id=str(backup_id), reason=str(error))
                continue
            async with self._units(Scope.worker()) as store:
                await expire_backup(backup_id, store, now=self._clock.now())
        return ROTATE_EVERY_SECONDS

    async def _adopt(self) -> None:
        """Once at a start, which may be one after a restore: know again what the archive holds."""
        if self._adopted:
            return
        held = await self._place.archive.held()
        async with self._units(Scope.worker()) as store:
            broken = await adopt_backups(held, store)
        for backup_id in broken:
            await self._place.archive.destroy(prefix_of(backup_id))
        self._adopted = True

    async def _dump(self, backup_id: UUID, service: str) -> Part:
        # Closed whatever happens, so that no dump goes on without a reader.
        async with aclosing(self._place.dumper.dump(service)) as pieces:
            return await self._place.archive.write(service, key_of(backup_id, service), pieces)

    async def _give_up(self, backup_id: UUID) -> None:
        """Nothing of a backup that is not whole may stay; until it is gone, certificates count with it."""
        try:
            await self._place.archive.destroy(prefix_of(backup_id))
        except Away as error:
            log.error("rotation_failed", backup_id=str(backup_id), reason=str(error))
            return
        async with self._units(Scope.worker()) as store:
            await store.fail(backup_id, self._clock.now())
