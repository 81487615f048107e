"""What goes to the platform, made from the revision that content has now, with its seal checked."""

from __future__ import annotations

import hashlib

from contracts.sealing import SealedMedia, SealedVariant
from platforms.shape import Delivery, Media, MediaKind, Tries

from publisher.domain.approval import Unsendable, approved_variant, variant_of
from publisher.domain.budget import Bill, Step, bill
from publisher.domain.publication import Publication
from publisher.domain.words import SEAL_MISMATCH
from publisher.ports import Means, MediaMissing


async def approved(publication: Publication, *, means: Means) -> tuple[SealedVariant, str]:
    """The variant to send and its content hash. Raises `Unsendable`, `kit.problems.Unavailable`."""
    revision = await means.revisions.find(publication.workspace_id, publication.revision_id)
    variant = approved_variant(publication, revision, means.revisions.signed)
    assert revision is not None
    return variant, revision.content_hash()


async def sent(publication: Publication, *, means: Means) -> SealedVariant:
    """The variant that was sent earlier, to ask about it, whether it is still approved or not."""
    revision = await means.revisions.find(publication.workspace_id, publication.revision_id)
    if revision is None:
        raise Unsendable("revision_gone", "the revision does not exist any more")
    if revision.content_hash() != publication.content_hash:
        raise Unsendable(SEAL_MISMATCH, "the content changed after it was sent")
    return variant_of(publication, revision)


async def verify_media(variant: SealedVariant, *, means: Means) -> None:
    """Read every object once and compare its digest with the approved one. Raises `Unsendable`."""
    for media in variant.media:
        digest, size = hashlib.sha256(), 0
        try:
            async for piece in means.media.source(media).read(0, media.size_bytes):
                digest.update(piece)
                size += len(piece)
        except MediaMissing:
            raise Unsendable("media_missing", f"the bytes of media {media.media_id} are gone") from None
        if (size, digest.hexdigest()) != (media.size_bytes, media.sha256):
            raise Unsendable(SEAL_MISMATCH, f"media {media.media_id} is not what was approved")


def bill_of(platform: str, step: Step, delivery: Delivery, *, means: Means) -> Bill:
    """What a step takes of the platform's rates. Raises `platforms.errors.Misconfigured`."""
    return bill(platform, means.platforms.find(platform).limits, step, delivery.media, delivery.settings)


def delivery_of(publication: Publication, variant: SealedVariant, *, means: Means) -> Delivery:
    return Delivery(
        publication_id=publication.publication_id,
        planned_at=publication.due_at,
        text=variant.text,
        media=tuple(_media(media, means=means) for media in variant.media),
        settings=variant.settings,
        forgiven=publication.forgiven,
    )


async def tries_of(publication: Publication, *, means: Means) -> Tries | None:
    """The visible steps that were begun so far, as the intents have it."""
    if publication.attempted_at is None:
        return None
    first_at = publication.attempted_at
    if publication.attempts > 1:
        async with means.work() as store:
            first_at = (await store.attempts(publication.publication_id))[0].started_at
    return Tries(publication.attempts, first_at)


def _media(media: SealedMedia, *, means: Means) -> Media:
    return Media(
        kind=MediaKind(media.kind),
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        width=media.width,
        height=media.height,
        duration_seconds=media.duration_seconds,
        alt_text=media.alt_text,
        source=means.media.source(media),
    )
