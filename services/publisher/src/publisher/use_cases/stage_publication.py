"""Everything invisible, minutes ahead: check what is to be sent, then let the platform have what it may."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from contracts.leases import LEASE_SECONDS
from platforms.errors import Transient

from publisher.domain.budget import Step
from publisher.domain.preflight import refuse_what_cannot_go_out, warned_of_end
from publisher.domain.publication import Publication
from publisher.domain.verdicts import begin_staging, staged
from publisher.ports import Means
from publisher.use_cases.prepare import approved, bill_of, delivery_of, verify_media
from publisher.use_cases.settle import settle

STAGE_SECONDS = LEASE_SECONDS - 5.0
"""One piece of staging ends within the lease it was begun with; the journal lets the next go on."""


class Unfinished(Exception):
    """A large upload goes on with the next lease."""


async def stage_publication(publication: Publication, *, means: Means) -> Publication:
    """Bring a claimed publication to `staged`, or raise what `work_publication` turns into its next state."""
    variant, content_hash = await approved(publication, means=means)
    delivery = delivery_of(publication, variant, means=means)
    refuse_what_cannot_go_out(means.platforms.find(variant.platform), delivery)
    # While it is held auth will most likely lend nothing, and others need what it would pay with.
    bill = None if publication.held else bill_of(variant.platform, Step.STAGING, delivery, means=means)
    publication = await settle(
        publication, lambda row: begin_staging(row, variant.platform), means=means, keep=True, bill=bill
    )
    if publication.claim is None:
        return publication
    if not publication.media_verified:
        await verify_media(variant, means=means)
        publication = await settle(
            publication,
            lambda row: replace(row, content_hash=content_hash, media_verified=True),
            means=means,
            keep=True,
        )
    journal = await means.journals.open(publication, variant.platform)
    async with means.grants.borrow(publication) as grant:
        try:
            async with asyncio.timeout(STAGE_SECONDS):
                await means.platforms.stage(variant.platform, grant, delivery, journal)
        except TimeoutError:
            if journal.recorded:
                raise Unfinished from None
            raise Transient("slow", "the platform took nothing within one lease") from None
    return await settle(publication, lambda row: warned_of_end(staged(row, means.clock.now()), grant), means=means)
