"""Whether what is about to be sent is exactly what was approved."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from contracts.sealing import Seal, SealedRevision, SealedVariant, seal_message

from publisher.domain.publication import Publication
from publisher.domain.words import SEAL_MISMATCH

Signed = Callable[[bytes, bytes], bool]
"""Whether content signed a message: message, signature."""


class Unsendable(Exception):
    """This must not go out. `withdrawn`: somebody took it back, so it is no failure."""

    def __init__(self, code: str, detail: str, *, withdrawn: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.withdrawn = withdrawn


def approved_variant(publication: Publication, revision: SealedRevision | None, signed: Signed) -> SealedVariant:
    """The connection's variant of a revision whose seal holds. Raises `Unsendable`."""
    if revision is None:
        raise Unsendable("revision_gone", "the revision does not exist any more", withdrawn=True)
    if revision.seal is None:
        raise Unsendable("approval_withdrawn", "the revision is no longer approved", withdrawn=True)
    content_hash = revision.content_hash()
    if content_hash != revision.seal.content_hash:
        raise _mismatch("the content is not what was approved")
    if publication.content_hash not in (None, content_hash):
        raise _mismatch("the content changed after it was staged")
    if not revision.seal.approved_by or not _signature_holds(revision.seal, signed):
        raise _mismatch("the seal is not signed by who may seal")
    return variant_of(publication, revision)


def variant_of(publication: Publication, revision: SealedRevision) -> SealedVariant:
    """The connection's variant of the revision that the publication is of. Raises `Unsendable`."""
    ids = (revision.workspace_id, revision.post_id, revision.revision_id)
    if ids != (publication.workspace_id, publication.post_id, publication.revision_id):
        raise _mismatch("the revision is another one")
    for variant in revision.variants:
        if variant.connection_id == publication.connection_id:
            return variant
    raise _mismatch("nothing was approved for this connection")


def _signature_holds(seal: Seal, signed: Signed) -> bool:
    try:
        signature = base64.urlsafe_b64decode(seal.signature + "=" * (-len(seal.signature) % 4))
    except (binascii.Error, ValueError):
        return False
    return signed(seal_message(seal.content_hash, seal.approved_by, seal.approved_at), signature)


def _mismatch(detail: str) -> Unsendable:
    return Unsendable(SEAL_MISMATCH, detail)
