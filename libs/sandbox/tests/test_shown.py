"""The page behind a permalink shows what was posted, and nothing that was not."""

from __future__ import annotations

import httpx
from kit.clock import FixedClock
from sandbox.server import Sandbox
from sandbox.truth import Post, PostedMedia


async def test_a_permalink_shows_the_post_as_text(sandbox: Sandbox, http: httpx.AsyncClient, clock: FixedClock) -> None:
    media = (PostedMedia("ab" * 32, 7, "video/mp4"),)
    sandbox.truth.add(Post("tiktok", "sandbox-open-id-one", "42", "<b>Hi</b>", media, {}, clock.now()))
    shown = await http.get(f"{sandbox.base_urls['tiktok']}/@brand_one/video/42")
    assert shown.status_code == 200
    assert "&lt;b&gt;Hi&lt;/b&gt;" in shown.text
    assert "ab" * 32 in shown.text


async def test_nothing_is_shown_of_what_is_not_there(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    assert (await http.get(f"{sandbox.base_urls['tiktok']}/@brand_one/video/43")).status_code == 404
    assert (await http.get(f"{sandbox.base_urls['bluesky']}/profile/brand.test/post/3jzfcijpj2z2a")).status_code == 404
