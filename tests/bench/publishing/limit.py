"""The limit: the same calls with the same client and as many at once, by a loop that keeps nothing.

`python limit.py WORK`: a program of its own, as a publisher is. WORK is a JSON file as `contest.Work` writes it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop
from platforms.http import create_http_client


async def publish_all(work: dict[str, Any]) -> None:
    """Wait for the time, then post everything, so many at once."""
    async with create_http_client({urlsplit(work["base"]).netloc: "facebook"}) as http:
        await asyncio.sleep(max(work["due_at"] - time.time(), 0))
        posts = iter(work["posts"])
        async with asyncio.TaskGroup() as group:
            for _ in range(work["in_flight"]):
                group.create_task(_publish(http, work["base"], posts))


async def _publish(http: httpx.AsyncClient, base: str, posts: Iterator[dict[str, str]]) -> None:
    for post in posts:
        form = {"message": post["text"], "published": "true", "fields": "id,permalink_url"}
        form["appsecret_proof"] = post["proof"]
        headers = {"Authorization": f"Bearer {post['token']}"}
        answer = await http.post(f"{base}/v26.0/{post['page']}/feed", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        answer.json()


if __name__ == "__main__":
    uvloop.run(publish_all(json.loads(Path(sys.argv[1]).read_text())))
