"""What the person chooses for a pin. The post's text is its description."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from platforms.pinterest.limits import LINK_MAX, SLIDES_MAX, TITLE_MAX

Number = Annotated[str, Meta(pattern=r"^[0-9]{1,30}$")]
Link = Annotated[str, Meta(title="Link", max_length=LINK_MAX, pattern=r"^https?://[^ ]+$")]
Title = Annotated[str, Meta(title="Title", max_length=TITLE_MAX)]


class Slide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one image of a carousel says for itself."""

    title: Title = ""
    description: Annotated[str, Meta(title="Description", max_length=500)] = ""
    link: Link | None = None


class PinterestSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one pin. There is no pin without a board."""

    board_id: Annotated[Number, Meta(title="Board", description="One of the account's boards.")]
    board_section_id: Annotated[Number | None, Meta(title="Section of the board")] = None
    title: Title = ""
    link: Link | None = None
    cover_second: Annotated[
        int, Meta(title="Cover frame", description="Seconds from the start of a video.", ge=0, le=900)
    ] = 0
    slides: Annotated[
        tuple[Slide, ...], Meta(title="Texts of a carousel's images, in their order", max_length=SLIDES_MAX)
    ] = ()
