"""A post as a person would see it: the page behind the permalink that a receipt holds."""

from __future__ import annotations

from html import escape

from litestar import MediaType, Response

from sandbox.truth import Post, Truth


def permalink(truth: Truth, platform: str, post_id: str, *, author: str) -> Response[str]:
    """The page of one public post, or 404 when there is none by now."""
    post = truth.find(platform, post_id)
    if post is None:
        return Response("<h1>There is no such post</h1>", status_code=404, media_type=MediaType.HTML)
    return Response(_page(post, author), media_type=MediaType.HTML)


def _page(post: Post, author: str) -> str:
    files = "".join(
        f"<li>{escape(item.content_type)}, {item.size_bytes} bytes, SHA-256 <code>{item.sha256}</code>"
        f"{' – ' + escape(item.alt_text) if item.alt_text else ''}</li>"
        for item in post.media
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(author)} on {escape(post.platform)} (sandbox)</title>
<style>body{{font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}}
p{{white-space:pre-wrap}}code{{overflow-wrap:anywhere}}</style></head>
<body><h1>{escape(author)}</h1><p>{escape(post.text)}</p><ul>{files}</ul>
<time datetime="{post.posted_at.isoformat()}">{post.posted_at:%Y-%m-%d %H:%M:%S} UTC</time>
</body></html>"""
