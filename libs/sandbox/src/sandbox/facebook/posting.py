"""What shows at once on an imitated Page: texts, links, images, stories of images; and comments below them."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from typing import Any

from sandbox.facebook.state import NAME, Comment, FacebookState, Page, Photo, new_id
from sandbox.fetching import NotFetched, fetch
from sandbox.meta.answers import GraphError, absent, answer, invalid
from sandbox.meta.graph import Ask
from sandbox.meta.tokens import TokenKind
from sandbox.truth import Post, PostedMedia

MESSAGE_MAX = 63_206
PHOTO_BYTES_MAX = 10_000_000
ATTACHED_MAX = 10


def add_edges(state: FacebookState) -> None:
    """Edges that write."""
    graph = state.graph
    graph.on("POST", "{node}/feed", lambda ask: _feed(state, ask))
    graph.on("POST", "{node}/photos", lambda ask: _photos(state, ask))
    graph.on("POST", "{node}/photo_stories", lambda ask: _photo_story(state, ask))
    graph.on("POST", "{node}/comments", lambda ask: _comment(state, ask))
    graph.on("DELETE", "{node}", lambda ask: _delete(state, ask))


async def _feed(state: FacebookState, ask: Ask) -> Any:
    page = _writing(state, ask)
    message, link = ask.parameters.get("message", ""), ask.parameters.get("link", "")
    photos = _attached(state, ask, page)
    if not message and not link and not photos:
        raise invalid("Missing message or attachment")
    if len(message) > MESSAGE_MAX:
        raise invalid("The message is too long")
    if link and (photos or not re.match(r"https?://[^/\s]+", link)):
        raise GraphError(100, "(#100) link URL is not properly formatted", subcode=1609005)
    if not ask.flag("published", otherwise=True):
        raise invalid("The sandbox keeps no unpublished posts")
    _refuse_duplicate(state, page, message, link, photos)
    post = add_post(state, page, ask.token.client_id, "post", message, [photo.media for photo in photos], link=link)
    for photo in photos:
        photo.post_id = post.post_id
    return answer(_read_after_write(state, ask, post))


def _attached(state: FacebookState, ask: Ask, page: Page) -> list[Photo]:
    """`attached_media` comes as one list, or as one parameter for each."""
    listed = ask.json("attached_media")
    if listed is None:
        listed = [ask.json(f"attached_media[{position}]") for position in range(ATTACHED_MAX + 1)]
    wanted = [item for item in listed if item is not None]
    if len(wanted) > ATTACHED_MAX or not all(isinstance(item, dict) and "media_fbid" in item for item in wanted):
        raise invalid("Param attached_media must be a list of at most 10 objects with media_fbid")
    photos = [state.photo(str(item["media_fbid"]), page) for item in wanted]
    if any(photo.post_id for photo in photos):
        message = "These photos were already posted."
        raise GraphError(
            100, "(#100) Photos already posted", subcode=1366051, user_title="Already Posted", user_message=message
        )
    return photos


def _refuse_duplicate(state: FacebookState, page: Page, message: str, link: str, photos: list[Photo]) -> None:
    latest = next(iter(reversed(state.truth.posts(NAME, page.page_id))), None)
    if latest is None or photos or latest.media or not message:
        return
    if (latest.text, latest.settings.get("link", "")) == (message, link):
        raise GraphError(
            506,
            "(#506) Duplicate status message",
            user_title="Duplicate Status Update",
            user_message="It is the same as your last one. Say something else.",
        )


def add_post(
    state: FacebookState,
    page: Page,
    client_id: str,
    kind: str,
    text: str,
    media: list[PostedMedia],
    **settings: Any,
) -> Post:
    """Write a post that shows at once, and tell who listens."""
    post = Post(
        platform=NAME,
        account_id=page.page_id,
        post_id=f"{page.page_id}_{new_id()}",
        text=text,
        media=tuple(media),
        settings={"kind": kind, "comments": []} | {name: value for name, value in settings.items() if value},
        posted_at=state.clock.now(),
    )
    state.truth.add(post)
    tell_listeners(state, client_id, page, post)
    return post


def tell_listeners(state: FacebookState, client_id: str, page: Page, post: Post, *, verb: str = "add") -> None:
    """The Page's `feed` webhook, when the post shows."""
    if "feed" not in page.subscribed.get(client_id, []):
        return
    item = {"post": "photo" if post.media else "status"}.get(post.settings["kind"], "video")
    value = {
        "item": item,
        "verb": verb,
        "post_id": post.post_id,
        "from": {"id": page.page_id, "name": page.name},
        "published": 1,
        "created_time": int(post.posted_at.timestamp()),
        "message": post.text,
    }
    state.webhooks.change(state.clients[client_id], "page", page.page_id, "feed", value, at=post.posted_at)


async def _photos(state: FacebookState, ask: Ask) -> Any:
    page = _writing(state, ask)
    media = await _photo_media(ask)
    if not 0 < media.size_bytes <= PHOTO_BYTES_MAX or not media.content_type.startswith("image/"):
        raise GraphError(324, "(#324) Requires upload file", user_message="The image cannot be read.")
    photo = Photo(new_id(), page.page_id, media, state.clock.now())
    state.photos[photo.photo_id] = photo
    if not ask.flag("published", otherwise=True):
        return {"id": photo.photo_id}
    caption = next((ask.parameters[name] for name in ("caption", "message", "name") if name in ask.parameters), "")
    post = add_post(state, page, ask.token.client_id, "post", caption, [media])
    photo.post_id = post.post_id
    return {"id": photo.photo_id, "post_id": post.post_id}


async def _photo_media(ask: Ask) -> PostedMedia:
    alt_text = ask.parameters.get("alt_text_custom", "")
    source = next(iter(ask.files.values()), None)
    if source is not None:
        data = await source.read()
        # Not every client names a type for the file.
        told = source.content_type if source.content_type.startswith("image/") else None
        content_type = told or mimetypes.guess_type(source.filename)[0] or ""
        return PostedMedia(hashlib.sha256(data).hexdigest(), len(data), content_type, alt_text)
    try:
        found = await fetch(ask.parameters.get("url", ""), bytes_max=PHOTO_BYTES_MAX + 1)
    except NotFetched as error:
        raise GraphError(324, f"(#324) Missing or invalid image file: {error}") from error
    return PostedMedia(found.sha256, found.size_bytes, found.content_type, alt_text)


async def _photo_story(state: FacebookState, ask: Ask) -> Any:
    page = _writing(state, ask)
    photo = state.photo(ask.parameters.get("photo_id", ""), page)
    if photo.post_id is not None:
        raise GraphError(100, "(#100) Photos already posted", subcode=1366051)
    post = add_post(state, page, ask.token.client_id, "story", "", [photo.media], media_id=photo.photo_id)
    photo.post_id = post.post_id
    return {"success": True, "post_id": post.post_id.partition("_")[2]}


async def _comment(state: FacebookState, ask: Ask) -> Any:
    ask.need("pages_manage_engagement")
    post, message = state.post_of(ask.node), ask.parameters.get("message", "")
    if post is None or ask.token.kind is not TokenKind.PAGE or post.account_id != ask.token.account_id:
        raise absent(ask.node, "post")
    if not message:
        raise invalid("Missing message")
    comment_id = f"{post.post_id.partition('_')[2]}_{new_id()}"
    comment = Comment(comment_id, post.post_id, ask.token.account_id, message, state.clock.now())
    state.comments.append(comment)
    post.settings["comments"].append(message)
    return {"id": comment.comment_id}


async def _delete(state: FacebookState, ask: Ask) -> Any:
    ask.need("pages_manage_posts")
    photo, post = state.photos.get(ask.node), state.post_of(ask.node)
    if photo is not None and photo.page_id == ask.token.account_id:
        del state.photos[photo.photo_id]
        return {"success": True}
    if post is None or post.account_id != ask.token.account_id:
        raise absent(ask.node, "delete")
    post.removed = True
    tell_listeners(state, ask.token.client_id, state.pages[post.account_id], post, verb="remove")
    return {"success": True}


def _writing(state: FacebookState, ask: Ask) -> Page:
    page = state.page_of(ask)
    ask.need("pages_manage_posts")
    return page


def _read_after_write(state: FacebookState, ask: Ask, post: Post) -> dict[str, Any]:
    told = {"id": post.post_id}
    if "permalink_url" in ask.parameters.get("fields", ""):
        told["permalink_url"] = permalink_of(state, post)
    return told


def permalink_of(state: FacebookState, post: Post) -> str:
    page_id, _, story = post.post_id.partition("_")
    return f"{state.base_url}/permalink.php?story_fbid={story}&id={page_id}"
