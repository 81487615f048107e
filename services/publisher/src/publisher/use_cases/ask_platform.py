"""Ask the platform what became of a post: accepted, unanswered, or published without its id."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from contracts.leases import LEASE_SECONDS

from publisher.domain.publication import Publication, State
from publisher.domain.verdicts import answered, found, identified
from publisher.ports import Means, Verdict
from publisher.use_cases.prepare import delivery_of, sent, tries_of
from publisher.use_cases.settle import settle

ASK_SECONDS = LEASE_SECONDS - 5.0
"""A question is answered within the lease it is asked with."""


async def ask_platform(publication: Publication, *, means: Means) -> Publication:
    """Ask about a claimed publication in `processing`, `outcome_unknown` or `published`."""
    variant = await sent(publication, means=means)
    delivery = replace(delivery_of(publication, variant, means=means), tries=await tries_of(publication, means=means))
    journal = await means.journals.open(publication, variant.platform)
    async with means.grants.borrow(publication) as grant, asyncio.timeout(ASK_SECONDS):
        call = (variant.platform, grant, delivery, journal)
        if publication.state is State.OUTCOME_UNKNOWN:
            finding = await means.platforms.reconcile(*call)
            change: Verdict = lambda row: found(row, finding, means.clock.now())  # noqa: E731
        else:
            outcome = await means.platforms.status(*call)
            known = identified if publication.state is State.PUBLISHED else answered
            change = lambda row: known(row, outcome, means.clock.now())  # noqa: E731
    return await settle(publication, change, means=means)
