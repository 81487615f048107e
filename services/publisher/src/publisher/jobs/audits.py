"""The auditor's clock: an audit a day, and those that an operator asks for."""

from __future__ import annotations

from datetime import timedelta

import structlog
from kit.background import Loop
from kit.ids import new_id
from kit.problems import Unavailable

from publisher.domain.auditing import SETTLED
from publisher.ports.auditing import AuditMeans
from publisher.use_cases.audit_publications import KEPT, LEASE, RunLost, carry_out

log = structlog.get_logger("audits")

LOOK_SECONDS = 2.0
"""How soon an audit begins that an operator waits for."""


def auditing(means: AuditMeans, *, every: timedelta) -> Loop:
    """An audit of the time since the last one is planned `every` so often, and whatever is planned is carried out."""

    async def step() -> float:
        now = means.clock.now()
        async with means.work() as store:
            await store.plan_if_due(new_id(), until=now - SETTLED, every=every)
            await store.forget(now - KEPT)
            run = await store.claim(leased_until=now + LEASE)
        if run is None:
            return LOOK_SECONDS
        try:
            counts = await carry_out(run, means=means)
        except RunLost:
            log.info("audit_lost", run_id=str(run.run_id))
        except Unavailable as error:
            # Its lease runs out, and it is begun anew.
            log.warning("audit_waits", run_id=str(run.run_id), reason=str(error))
        else:
            tell = log.error if counts["differences"] else log.info
            tell("audit_done", run_id=str(run.run_id), **counts)
        return LOOK_SECONDS

    return Loop("audit", step)
