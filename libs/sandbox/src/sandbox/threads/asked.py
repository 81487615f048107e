"""What is asked of a new container besides its file. All strict: what the real one refuses is refused."""

from __future__ import annotations

import re
from typing import Any

import regex

from sandbox.meta.answers import GraphError, invalid
from sandbox.meta.graph import Ask

TEXT_MAX, LINKS_MAX, ALT_TEXT_MAX = 500, 5, 1000
REPLIERS = ("everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only")
ONLY_WITH_TEXT = ("link_attachment", "poll_attachment", "auto_publish_text")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\ufe0f|\u20e3")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)]", re.IGNORECASE)


def kind_of(ask: Ask) -> str:
    """The media type, which fits the parameters."""
    told, item = ask.parameters.get("media_type"), ask.flag("is_carousel_item", otherwise=False)
    if told not in ("TEXT", "IMAGE", "VIDEO", "CAROUSEL"):
        raise invalid("Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}")
    if item and (told not in ("IMAGE", "VIDEO") or {"text", "reply_to_id", "reply_control"} & set(ask.parameters)):
        raise invalid("An item of a carousel is an image or a video, and nothing else")
    if told != "TEXT" and set(ONLY_WITH_TEXT) & set(ask.parameters):
        raise invalid("This parameter is for posts of text alone")
    return told


def text_of(ask: Ask, kind: str) -> str:
    text = ask.parameters.get("text", "")
    if kind == "TEXT" and not text.strip():
        raise GraphError(100, "Param text can't be blank", kind="THApiException")
    if length_of(text) > TEXT_MAX:
        raise GraphError(100, f"Param text must be at most {TEXT_MAX} characters long.", kind="THApiException")
    links = set(_LINK.findall(text))
    if "link_attachment" in ask.parameters:
        links.add(ask.parameters["link_attachment"])
    if len(links) > LINKS_MAX:
        raise GraphError(100, "THREADS_API__LINK_LIMIT_EXCEEDED", kind="THApiException")
    return text


def length_of(text: str) -> int:
    """Emojis count as their bytes."""
    length = 0
    for cluster in regex.findall(r"\X", text):
        emoji = cluster not in "©®™" and _EMOJI.search(cluster)
        length += len(cluster.encode()) if emoji else len(cluster)
    return length


def about_of(ask: Ask) -> dict[str, Any]:
    """What is told besides the file and the text."""
    names = ("link_attachment", "topic_tag", "reply_control", "quote_post_id", "reply_to_id")
    about: dict[str, Any] = {name: ask.parameters[name] for name in names if name in ask.parameters}
    tag = about.get("topic_tag")
    if tag is not None and (not 1 <= len(tag) <= 50 or set(tag) & set(".&")):
        raise invalid("Param topic_tag must have 1 to 50 characters, none of them . or &")
    if about.get("reply_control", "everyone") not in REPLIERS:
        raise invalid(f"Param reply_control must be one of {{{', '.join(REPLIERS)}}}")
    if len(ask.parameters.get("alt_text", "")) > ALT_TEXT_MAX:
        raise invalid("Param alt_text must be at most 1000 characters long")
    if ask.flag("enable_reply_approvals", otherwise=False):
        about["enable_reply_approvals"] = True
    if "poll_attachment" in ask.parameters:
        about["poll_attachment"] = _poll(ask)
    return about


def _poll(ask: Ask) -> dict[str, str]:
    poll = ask.json("poll_attachment")
    options = ("option_a", "option_b", "option_c", "option_d")
    if not isinstance(poll, dict) or list(poll) != list(options[: len(poll)]) or len(poll) < 2:
        raise invalid("Param poll_attachment must have option_a to option_d, two of them at least")
    if not all(isinstance(option, str) and 1 <= len(option) <= 25 for option in poll.values()):
        raise invalid("An option of a poll has 1 to 25 characters")
    return poll
