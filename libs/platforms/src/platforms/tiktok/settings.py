"""What the person chooses for a TikTok post. TikTok's content sharing guidelines say how it is asked.

They require that privacy has no preselected value, that comments, duets and stitches start switched
off, and that commercial content is declared by the person.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Privacy = Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]
CoverMilliseconds = Annotated[int, Meta(ge=0, le=600_000)]


class TikTokSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one TikTok post. By posting, the person agrees to TikTok's Music Usage Confirmation."""

    privacy_level: Annotated[
        Privacy,
        Meta(title="Who can watch this video", description="Offer only what the creator's account offers now."),
    ]
    disable_comment: Annotated[bool, Meta(title="No comments")] = True
    disable_duet: Annotated[bool, Meta(title="No duets")] = True
    disable_stitch: Annotated[bool, Meta(title="No stitches")] = True
    brand_organic_toggle: Annotated[bool, Meta(title="Your brand", description="Labelled “Promotional content”.")] = (
        False
    )
    brand_content_toggle: Annotated[
        bool, Meta(title="Branded content", description="Labelled “Paid partnership”; cannot be private.")
    ] = False
    is_aigc: Annotated[bool, Meta(title="Made or changed by AI")] = False
    video_cover_timestamp_ms: Annotated[
        CoverMilliseconds | None, Meta(title="Cover frame", description="Milliseconds from the start.")
    ] = None

    def to_post_info(self, caption: str) -> dict[str, object]:
        """The `post_info` object of a direct post. A cover is named only where one was chosen."""
        info: dict[str, object] = {"title": caption} | msgspec.structs.asdict(self)
        if self.video_cover_timestamp_ms is None:
            del info["video_cover_timestamp_ms"]
        return info
