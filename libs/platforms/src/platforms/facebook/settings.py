"""What the person chooses for a Facebook post."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.facebook.limits import LINK_MAX

PostKind = Literal["post", "reel", "story"]


class FacebookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one post on a Facebook Page. Everything on a Page is public."""

    kind: Annotated[
        PostKind,
        Meta(title="Post as", description="A reel takes one upright video; a story one image or video, for a day."),
    ] = "post"
    link: Annotated[
        str,
        Meta(
            title="Link",
            description="Shown as a card below the text; not beside images or a video.",
            max_length=LINK_MAX,
        ),
    ] = ""
    title: Annotated[str, Meta(title="Title", description="Of a video or reel.")] = ""
    first_comment: Annotated[
        str, Meta(title="First comment", description="Posted by the Page right below the post.")
    ] = ""
