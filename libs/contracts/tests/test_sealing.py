"""A seal is one string of bytes for the one who signs it and the one who checks it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.sealing import SealedMedia, SealedRevision, SealedVariant, seal_message

APPROVERS = (UUID(int=2), UUID(int=1))


def test_a_time_is_sealed_the_same_whatever_its_offset():
    summer = datetime.fromisoformat("2026-07-01T11:30:00.250000+02:00")
    assert (
        seal_message("0" * 64, APPROVERS, summer)
        == seal_message("0" * 64, APPROVERS, datetime.fromisoformat("2026-07-01T09:30:00.250Z"))
        == seal_message("0" * 64, tuple(reversed(APPROVERS)), "2026-07-01T09:30:00.250000+00:00")
    )


def test_another_moment_is_another_message():
    first, second = (datetime.fromisoformat(f"2026-07-01T09:30:0{second}+00:00") for second in (0, 1))
    assert seal_message("0" * 64, APPROVERS, first) != seal_message("0" * 64, APPROVERS, second)


def test_what_says_the_same_has_the_same_hash_whatever_its_ids():
    media = SealedMedia(
        media_id=UUID(int=4), object_key="a", kind="image", content_type="image/png", size_bytes=1, sha256="0" * 64,
        width=1, height=1,
    )  # fmt: skip
    variant = SealedVariant(connection_id=UUID(int=3), platform="bluesky", text="Hello", media=(media,))
    revision = SealedRevision(
        workspace_id=UUID(int=1), post_id=UUID(int=5), revision_id=UUID(int=6), variants=(variant,)
    )
    same = variant.model_copy(
        update={"media": (media.model_copy(update={"media_id": UUID(int=7), "object_key": "b"}),)}
    )
    copied = revision.model_copy(update={"post_id": UUID(int=8), "revision_id": UUID(int=9), "variants": (same,)})
    assert copied.variant_hashes() == revision.variant_hashes()
    others = [
        revision.model_copy(update={"workspace_id": UUID(int=2)}),
        *(
            revision.model_copy(update={"variants": (variant.model_copy(update=change),)})
            for change in (
                {"text": "Hello!"},
                {"settings": {"title": "A"}},
                {"media": ()},
                {"media": (media.model_copy(update={"sha256": "1" * 64}),)},
                {"media": (media.model_copy(update={"alt_text": "A dog"}),)},
            )
        ),
    ]
    hashes = [other.variant_hashes()[UUID(int=3)] for other in [revision, *others]]
    assert len(set(hashes)) == len(hashes)
