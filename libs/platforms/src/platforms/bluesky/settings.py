"""What the person chooses for a Bluesky post."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.bluesky.limits import LANGUAGES_MAX

Language = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47, such as “de-CH”.")]
Label = Literal["sexual", "nudity", "porn", "graphic-media"]


class BlueskySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one Bluesky post. Everything is optional."""

    langs: Annotated[tuple[Language, ...], Meta(title="Languages of the text", max_length=LANGUAGES_MAX)] = ()
    labels: Annotated[tuple[Label, ...], Meta(title="Content warnings", max_length=4)] = ()
