"""What the person chooses for a TikTok post. TikTok's content sharing guidelines say how it is asked.

They require that privacy has no preselected value, that comments, duets and stitches start switched
off, and that commercial content is declared by the person. Photos have no duets and stitches, and a video
has no title beside its caption.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Privacy = Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]
CoverMilliseconds = Annotated[int, Meta(ge=0, le=600_000)]
CoverIndex = Annotated[int, Meta(ge=0, le=34)]


class TikTokSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one TikTok post. By posting, the person agrees to TikTok's Music Usage Confirmation."""

    privacy_level: Annotated[
        Privacy,
        Meta(title="Who can see this post", description="Offer only what the creator's account offers now."),
    ]
    disable_comment: Annotated[bool, Meta(title="No comments")] = True
    disable_duet: Annotated[bool, Meta(title="No duets", description="Of videos.")] = True
    disable_stitch: Annotated[bool, Meta(title="No stitches", description="Of videos.")] = True
    brand_organic_toggle: Annotated[bool, Meta(title="Your brand", description="Labelled “Promotional content”.")] = (
        False
    )
    brand_content_toggle: Annotated[
        bool, Meta(title="Branded content", description="Labelled “Paid partnership”; cannot be private.")
    ] = False
    is_aigc: Annotated[bool, Meta(title="Made or changed by AI")] = False
    video_cover_timestamp_ms: Annotated[
        CoverMilliseconds | None, Meta(title="Cover frame", description="Of a video, in milliseconds from its start.")
    ] = None

    title: Annotated[str, Meta(title="Headline", description="Of photos; the text is their description.")] = ""
    photo_cover_index: Annotated[
        CoverIndex | None, Meta(title="Cover photo", description="Its position among the photos, the first is 0.")
    ] = None
    auto_add_music: Annotated[
        bool, Meta(title="Add music", description="TikTok chooses it; of photos. It can be changed in TikTok's app.")
    ] = False

    def to_video_info(self, caption: str) -> dict[str, object]:
        """The `post_info` object of a video. A cover is named only where one was chosen."""
        info = self._common() | {
            "title": caption,
            "disable_duet": self.disable_duet,
            "disable_stitch": self.disable_stitch,
            "is_aigc": self.is_aigc,
        }
        if self.video_cover_timestamp_ms is not None:
            info["video_cover_timestamp_ms"] = self.video_cover_timestamp_ms
        return info

    def to_photo_info(self, description: str) -> dict[str, object]:
        """The `post_info` object of photos."""
        return self._common() | {
            "title": self.title,
            "description": description,
            "auto_add_music": self.auto_add_music,
        }

    def _common(self) -> dict[str, object]:
        return {
            "privacy_level": self.privacy_level,
            "disable_comment": self.disable_comment,
            "brand_content_toggle": self.brand_content_toggle,
            "brand_organic_toggle": self.brand_organic_toggle,
        }
