"""Which rules of their platforms a revision's variants would break."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.sealing import SealedMedia, SealedRevision
from platforms.platform import Platform
from platforms.shape import Media, MediaKind, PlatformName

NOT_OFFERED = "platform_not_offered"


def find_violations(revision: SealedRevision, platforms: Mapping[PlatformName, Platform]) -> list[dict[str, str]]:
    """Every violation, with a JSON pointer into the post and the rule's code."""
    by_name = {name.value: platform for name, platform in platforms.items()}
    found: list[dict[str, str]] = []
    for index, variant in enumerate(revision.variants):
        place = f"/variants/{index}"
        platform = by_name.get(variant.platform)
        if platform is None:
            detail = f"Nothing can be published to {variant.platform} from here."
            found.append({"pointer": f"{place}/connection_id", "detail": detail, "code": NOT_OFFERED})
            continue
        media = [_checked(item) for item in variant.media]
        found += [
            {"pointer": place + violation.pointer, "detail": violation.detail, "code": violation.code}
            for violation in platform.check(text=variant.text, media=media, settings=variant.settings)
        ]
    return found


def _checked(media: SealedMedia) -> Media:
    return Media(
        kind=MediaKind(media.kind),
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        width=media.width,
        height=media.height,
        duration_seconds=media.duration_seconds,
        alt_text=media.alt_text,
    )
