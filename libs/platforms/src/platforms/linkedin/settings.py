"""What the person chooses for a post on LinkedIn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from platforms.linkedin import limits
from platforms.parts import Poll

Link = Annotated[str, Meta(title="Link", max_length=2048, pattern=r"^https?://[^ ]+$")]
Visibility = Literal["PUBLIC", "LOGGED_IN", "CONNECTIONS"]


class Mention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody whom the text names as “@Name”. LinkedIn links only a name that is exactly theirs."""

    name: Annotated[str, Meta(title="Name", description="Without the @.", min_length=1, max_length=200)]
    urn: Annotated[str, Meta(title="Member or organisation", pattern=r"^urn:li:(person|organization):[\w-]{1,64}$")]


class LinkedInSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one post. With a link, an image of the post is the link's picture."""

    visibility: Annotated[Visibility, Meta(title="Who may see it", description="Organisations post to everyone.")] = (
        "PUBLIC"
    )
    reshare_disabled: Annotated[bool, Meta(title="Nobody may repost it")] = False
    mentions: Annotated[tuple[Mention, ...], Meta(title="Mentions", max_length=limits.MENTIONS_MAX)] = ()
    title: Annotated[
        str, Meta(title="Title of the video or document", description="A document needs one.", max_length=400)
    ] = ""
    link: Link | None = None
    link_title: Annotated[str, Meta(title="Title of the link", max_length=limits.TITLE_MAX)] = ""
    link_description: Annotated[str, Meta(title="Description of the link", max_length=limits.LINK_DESCRIPTION_MAX)] = ""
    poll: Annotated[Poll | None, Meta(title="Poll", description="Open for 1, 3, 7 or 14 days.")] = None
    poll_question: Annotated[str, Meta(title="The poll's question", max_length=limits.QUESTION_MAX)] = ""
    first_comment: Annotated[str, Meta(title="First comment", max_length=limits.COMMENT_MAX)] = ""


def settings_of(settings: Mapping[str, Any]) -> LinkedInSettings:
    """The typed settings of a delivery that was checked."""
    return msgspec.convert(dict(settings), LinkedInSettings)
