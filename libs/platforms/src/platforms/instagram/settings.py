"""What the person chooses for an Instagram post."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.instagram.limits import COLLABORATORS_MAX, REEL_SECONDS_MAX, USERNAME_MAX

PostKind = Literal["post", "reel", "story"]
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._]+$", max_length=USERNAME_MAX)]
Share = Annotated[float, Meta(ge=0, le=1)]


class UserTag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who is seen. On images `x` and `y` say where, as shares of the width and height from the top left."""

    username: Annotated[Username, Meta(title="Who", description="The account's name, without @.")]
    media: Annotated[int, Meta(title="Media", description="Position in the post's media, the first is 0.", ge=0)] = 0
    x: Annotated[Share | None, Meta(title="From the left")] = None
    y: Annotated[Share | None, Meta(title="From the top")] = None


class InstagramSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one Instagram post. A single video is always a reel."""

    kind: Annotated[
        PostKind,
        Meta(title="Post as", description="A reel takes one video; a story one image or video, for a day."),
    ] = "post"
    collaborators: Annotated[
        tuple[Username, ...],
        Meta(title="Collaborators", description="Accounts asked to share the post.", max_length=COLLABORATORS_MAX),
    ] = ()
    user_tags: Annotated[tuple[UserTag, ...], Meta(title="Tagged people")] = ()
    location_id: Annotated[
        str, Meta(title="Place", description="The id of a Facebook Page that has a place.", pattern=r"^[0-9]{0,30}$")
    ] = ""
    cover_media: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(title="Cover", description="Position of the image among the post's media that becomes a reel's cover."),
    ] = None
    cover_offset_ms: Annotated[
        Annotated[int, Meta(ge=0, le=int(REEL_SECONDS_MAX * 1000))] | None,
        Meta(title="Cover frame", description="Milliseconds from the start; a cover image wins over it."),
    ] = None
    share_to_feed: Annotated[bool, Meta(title="Reel in the feed too", description="A wish; Instagram decides.")] = True
    is_ai_generated: Annotated[bool, Meta(title="Made or changed by AI")] = False
    first_comment: Annotated[
        str, Meta(title="First comment", description="Posted by the account right below the post.")
    ] = ""
