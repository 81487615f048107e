"""The one dangerous step: intent, call, receipt. Never repeated without proof that it had no effect."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import structlog
from platforms.errors import OutcomeUnknown, PlatformError
from platforms.http import no_requests_after
from platforms.shape import Delivery, Grant, Journal, Outcome, Published

from publisher.domain.budget import Step
from publisher.domain.publication import LEASE, Publication
from publisher.domain.verdicts import answered, intend
from publisher.ports import ClaimLost, Means
from publisher.use_cases.prepare import approved, bill_of, delivery_of, tries_of
from publisher.use_cases.settle import settle, settle_receipt

log = structlog.get_logger("publish")

PUBLISH_SECONDS = 120.0
"""Longest wait for the answer to the visible step; without one the outcome is unknown."""


async def publish_publication(publication: Publication, *, means: Means) -> Publication:
    """Publish a claimed, staged and due publication.

    The approval is asked for again, because it may have been withdrawn since staging. What happens before
    the intent is raised as it is; after it, only proven refusals are, everything else as `OutcomeUnknown`.
    """
    assert publication.platform is not None
    means.grants.expect(publication.connection_id)
    opening = asyncio.create_task(means.journals.open(publication, publication.platform))
    try:
        variant, _ = await approved(publication, means=means)
    except BaseException:
        opening.cancel()
        raise
    journal = await opening
    delivery = delivery_of(publication, variant, means=means)
    bill = bill_of(variant.platform, Step.PUBLISHING, delivery, means=means)
    async with means.call_slots.begin(variant.platform) as turn, means.grants.borrow(publication) as grant:
        begun = time.monotonic()
        intended = await settle(
            publication, lambda row: intend(row, means.clock.now()), means=means, keep=True, bill=bill
        )
        if intended.claim is None:
            return intended
        delivery = replace(delivery, tries=await tries_of(intended, means=means))
        # Afterwards another worker may have looked, found nothing and repeated it: whoever stood still must not go on.
        with no_requests_after(begun + LEASE.total_seconds()):
            async with turn():
                outcome = await _call(variant.platform, grant, delivery, journal, means=means)
    return await _settle_outcome(intended, outcome, means=means)


async def _settle_outcome(intended: Publication, outcome: Outcome, *, means: Means) -> Publication:
    def change(row: Publication) -> Publication:
        return answered(row, outcome, means.clock.now())

    try:
        return await settle(intended, change, means=means)
    except ClaimLost:
        if isinstance(outcome, Published):
            kept = await settle_receipt(intended, change, means=means)
            log.warning("receipt_late", publication_id=str(intended.publication_id), kept=kept)
        raise


async def _call(platform: str, grant: Grant, delivery: Delivery, journal: Journal, *, means: Means) -> Outcome:
    try:
        async with asyncio.timeout(PUBLISH_SECONDS):
            return await means.platforms.publish(platform, grant, delivery, journal)
    except (PlatformError, ClaimLost):
        raise
    except TimeoutError:
        raise OutcomeUnknown("no_answer", f"no answer within {PUBLISH_SECONDS:.0f} s") from None
    except Exception as error:
        # Whatever broke, it broke after the intent: nobody knows how far the call came.
        log.error("publish_broke", publication_id=str(delivery.publication_id), exc_info=error)
        raise OutcomeUnknown("broke", f"the call broke off ({type(error).__name__})") from error
