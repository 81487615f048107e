"""What the person chooses for a post on X besides its text and media."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.parts import Poll, ThreadPart

Repliers = Literal["following", "mentionedUsers", "subscribers", "verified"]
Id = Annotated[str, Meta(pattern="^[0-9]{1,19}$")]
Place = Annotated[str, Meta(min_length=1, max_length=64)]


class XSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one post on X. Of poll, quote and media a post can have one."""

    thread: Annotated[
        tuple[ThreadPart, ...], Meta(title="Thread", description="Further posts, each a reply to the one before.")
    ] = ()
    first_comment: Annotated[str, Meta(title="First reply", description="By ourselves, to the first post.")] = ""
    link: Annotated[str, Meta(title="Link", description="Put on a line of its own below the text.")] = ""
    poll: Annotated[Poll | None, Meta(title="Poll", description="2 to 4 answers, open 5 minutes to 7 days.")] = None
    quote_post_id: Annotated[Id | None, Meta(title="Quoted post", description="Its id. Not offered on every plan.")] = (
        None
    )
    reply_to_post_id: Annotated[
        Id | None, Meta(title="In reply to", description="The id of an own post, or of one that mentions the account.")
    ] = None
    reply_settings: Annotated[
        Repliers | None, Meta(title="Who can reply", description="Everyone, if nothing is chosen.")
    ] = None
    community_id: Annotated[Id | None, Meta(title="Community")] = None
    share_with_followers: Annotated[
        bool, Meta(title="Show to followers too", description="For a post in a community.")
    ] = False
    tagged_user_ids: Annotated[tuple[Id, ...], Meta(title="People in the images", max_length=10)] = ()
    place_id: Annotated[Place | None, Meta(title="Place")] = None
    for_super_followers_only: Annotated[bool, Meta(title="For subscribers only")] = False
    made_with_ai: Annotated[bool, Meta(title="Made or changed by AI")] = False
    paid_partnership: Annotated[bool, Meta(title="Paid partnership")] = False
    premium: Annotated[
        bool,
        Meta(title="The account has X Premium", description="Allows texts up to 25,000 characters and long videos."),
    ] = False
