"""What a Page's webhook tells of its posts: that one of ours is there, was removed, or that a video is done."""

from __future__ import annotations

from platforms.meta.webhooks import Change, other
from platforms.shape import Notice, NoticeKind

_POSTS = frozenset({"post", "status", "photo", "video", "share", "album", "link", "reel", "story"})


def read_change(change: Change) -> Notice:
    """A Page's own post that appeared or went; everything else is only noted."""
    value = change.value
    post_id = value.get("post_id")
    kind = {"add": NoticeKind.POST_PUBLISHED, "remove": NoticeKind.POST_REMOVED}.get(str(value.get("verb")))
    about_post = change.field == "feed" and value.get("item") in _POSTS and isinstance(post_id, str)
    if kind is None or not about_post or not _by_page(change):
        return other(change)
    video_id = value.get("video_id")
    return Notice(
        kind,
        change.notice_id,
        account_id=change.account_id,
        post_id=post_id,
        reference=str(video_id) if video_id else None,
        occurred_at=change.moment,
    )


def _by_page(change: Change) -> bool:
    """Visitors post on a Page too. One without an author is taken for the Page's: a notice is only a hint."""
    author = change.value.get("from")
    told = author.get("id") if isinstance(author, dict) else change.value.get("sender_id")
    return told is None or str(told) == change.account_id
