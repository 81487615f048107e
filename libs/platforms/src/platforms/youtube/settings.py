"""What the person chooses for a YouTube video. The post's text is the description, an image is the thumbnail.

YouTube requires that who may see the video and whether it is made for children are chosen by the
person, so neither has a preselected value.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.youtube.limits import COMMENT_CHARACTERS_MAX, TAGS_CHARACTERS_MAX, TITLE_CHARACTERS_MAX

Visibility = Literal["public", "unlisted", "private"]
Language = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47, such as “de-CH”.")]
PlaylistId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,64}$")]
PEOPLE_AND_BLOGS = "22"


class YouTubeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one video."""

    title: Annotated[str, Meta(title="Title", min_length=1, max_length=TITLE_CHARACTERS_MAX)]
    visibility: Annotated[Visibility, Meta(title="Who can watch this video")]
    made_for_kids: Annotated[
        bool, Meta(title="Made for children", description="The law asks for it; comments are off on such videos.")
    ]
    kind: Annotated[
        Literal["video", "short"] | None,
        Meta(title="Video or Short", description="YouTube decides by form and length; named here it is checked."),
    ] = None
    category_id: Annotated[str, Meta(title="Category", pattern=r"^[0-9]{1,3}$")] = PEOPLE_AND_BLOGS
    tags: Annotated[tuple[str, ...], Meta(title="Tags", max_length=TAGS_CHARACTERS_MAX)] = ()
    language: Annotated[Language | None, Meta(title="Language of title and description")] = None
    contains_synthetic_media: Annotated[
        bool, Meta(title="Altered or synthetic", description="Looks real, but was made or changed by AI.")
    ] = False
    has_paid_promotion: Annotated[bool, Meta(title="Contains paid promotion")] = False
    license: Annotated[Literal["youtube", "creativeCommon"], Meta(title="Licence")] = "youtube"
    embeddable: Annotated[bool, Meta(title="May be embedded elsewhere")] = True
    public_stats_viewable: Annotated[bool, Meta(title="Everybody may see extended statistics")] = True
    notify_subscribers: Annotated[bool, Meta(title="Tell subscribers")] = True
    playlist_id: Annotated[PlaylistId | None, Meta(title="Playlist", description="One of the channel's own.")] = None
    first_comment: Annotated[str, Meta(title="First comment", max_length=COMMENT_CHARACTERS_MAX)] = ""
