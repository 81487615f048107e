"""What the person chooses for a Bluesky post."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.bluesky.limits import LANGUAGES_MAX, TAGS_MAX
from platforms.parts import ThreadPart

Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47, such as “de-CH”.")]
Label = Literal["sexual", "nudity", "porn", "graphic-media"]
Repliers = Literal["nobody", "mentioned", "followers", "following"]


class BlueskySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one Bluesky post. Everything is optional."""

    langs: Annotated[tuple[Language, ...], Meta(title="Languages of the text", max_length=LANGUAGES_MAX)] = ()
    labels: Annotated[tuple[Label, ...], Meta(title="Content warnings", max_length=4)] = ()
    tags: Annotated[
        tuple[str, ...],
        Meta(title="Hashtags that the text does not show", description="Without #.", max_length=TAGS_MAX),
    ] = ()
    thread: Annotated[
        tuple[ThreadPart, ...], Meta(title="Thread", description="Further posts, each a reply to the one before.")
    ] = ()
    first_comment: Annotated[str, Meta(title="First reply", description="By ourselves, to the first post.")] = ""
    link: Annotated[
        str,
        Meta(title="Link card", description="An address shown as a card. One image may go with it, as its picture."),
    ] = ""
    link_title: Annotated[str, Meta(title="The card's title", description="Bluesky does not read the page.")] = ""
    link_description: Annotated[str, Meta(title="The card's description")] = ""
    quote: Annotated[
        str, Meta(title="Quoted post", description="Its address at bsky.app, or its at:// address.", max_length=600)
    ] = ""
    replies: Annotated[
        tuple[Repliers, ...],
        Meta(title="Who can reply", description="Everyone, if nothing is chosen.", max_length=3),
    ] = ()
    no_quotes: Annotated[bool, Meta(title="Nobody may quote it")] = False
