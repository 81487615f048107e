"""Close what every service has answered: certificate, and a final one once no backup holds the subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from contracts.retention import ErasureCompletedV1
from kit.ids import new_id

from retention.domain.erasure import Erasure, Purge, certificate_document
from retention.ports import Store

log = structlog.get_logger("erasures")

Sign = Callable[[Mapping[str, Any]], str]

TRY_AGAIN_AFTER = timedelta(seconds=2)
"""When events wait for a consumer that lags, it is looked at again after this."""


async def complete_erasure(
    erasure_id: UUID, purge: Purge, store: Store, *, sign: Sign, now: datetime, backups_taken: bool
) -> bool:
    """Certify an erasure whose events are purged; returns False, to be tried again, while some are left."""
    await store.add_purged(erasure_id, purge.purged, now + TRY_AGAIN_AFTER)
    if not purge.clean:
        log.info("purge_waits", erasure_id=str(erasure_id))
        return False
    backups_until = await store.last_expiry(taken_until=now)
    final = backups_until is None
    erasure = await store.complete(erasure_id, at=now, backups_until=backups_until, final=final)
    if erasure is not None:
        await _certify(erasure, store, sign=sign, now=now, backups_taken=backups_taken, final=final)
    return True


async def finalise_erasure(erasure_id: UUID, store: Store, *, sign: Sign, now: datetime) -> None:
    """Certify for good that the last backup is gone too."""
    erasure = await store.finalise(erasure_id)
    if erasure is not None:
        await _certify(erasure, store, sign=sign, now=now, backups_taken=True, final=True)


async def _certify(
    erasure: Erasure, store: Store, *, sign: Sign, now: datetime, backups_taken: bool, final: bool
) -> None:
    assert erasure.completed_at is not None
    certificate_id = new_id()
    document = certificate_document(
        erasure,
        await store.answers(erasure.erasure_id),
        certificate_id=certificate_id,
        issued_at=now,
        backups_taken=backups_taken,
        final=final,
    )
    await store.write_certificate(certificate_id, erasure.erasure_id, final=final, jws=sign(document), issued_at=now)
    store.emit(ErasureCompletedV1(erasure_id=erasure.erasure_id, completed_at=erasure.completed_at, final=final))
    log.info("erasure_completed", erasure_id=str(erasure.erasure_id), final=final)
