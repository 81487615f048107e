"""What the person chooses for a post on Threads besides its text and media."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from platforms.parts import ThreadPart
from platforms.threads.limits import LINK_MAX, TOPIC_TAG_MAX

Repliers = Literal["everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only"]
Id = Annotated[str, Meta(pattern="^[0-9]{1,32}$")]
Topic = Annotated[str, Meta(min_length=1, max_length=TOPIC_TAG_MAX, pattern="^[^.&]*$")]


class ThreadsPoll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question's answers; the question is the post's text. Threads lets nobody choose how long it is open."""

    options: Annotated[tuple[str, ...], Meta(title="Answers", description="2 to 4, of up to 25 characters.")]


class ThreadsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one post on Threads. All but the thread and the first reply are of the first post."""

    thread: Annotated[
        tuple[ThreadPart, ...], Meta(title="Thread", description="Further posts, each a reply to the one before.")
    ] = ()
    first_comment: Annotated[str, Meta(title="First reply", description="By ourselves, to the first post.")] = ""
    link: Annotated[
        str,
        Meta(title="Link", description="Shown as a card. For posts without media and poll.", max_length=LINK_MAX),
    ] = ""
    poll: Annotated[ThreadsPoll | None, Meta(title="Poll", description="For posts without media and link.")] = None
    topic_tag: Annotated[
        Topic | None, Meta(title="Topic", description="One for a post; else its first hashtag becomes it.")
    ] = None
    reply_control: Annotated[
        Repliers | None, Meta(title="Who can reply", description="Everyone, if nothing is chosen.")
    ] = None
    approve_replies: Annotated[
        bool, Meta(title="Approve replies", description="Replies are shown once the account has approved them.")
    ] = False
    quote_post_id: Annotated[Id | None, Meta(title="Quoted post", description="Its id.")] = None
