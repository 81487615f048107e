"""What every peer is given: the posts, and the call that publishes one. Runs where only the peers are installed."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import httpx

_local = threading.local()


@cache
def work() -> dict[str, Any]:
    """The JSON file that WORK names."""
    document: dict[str, Any] = json.loads(Path(os.environ["WORK"]).read_text())
    return document


def due_at() -> datetime:
    return datetime.fromtimestamp(work()["due_at"], UTC)


def publish(index: int) -> None:
    """Post from a thread, each with a client of its own: a shared one serves them more slowly."""
    if not hasattr(_local, "http"):
        _local.http = httpx.Client(timeout=30, trust_env=False)
    answer = _local.http.post(**_request(index))
    answer.raise_for_status()
    answer.json()


async def publish_async(http: aiohttp.ClientSession, index: int) -> None:
    async with http.post(**_request(index)) as answer:
        answer.raise_for_status()
        await answer.json()


def _request(index: int) -> dict[str, Any]:
    post = work()["posts"][index]
    form = {"message": post["text"], "published": "true", "fields": "id,permalink_url"}
    return {
        "url": f"{work()['base']}/v26.0/{post['page']}/feed",
        "data": form | {"appsecret_proof": post["proof"]},
        "headers": {"Authorization": f"Bearer {post['token']}"},
    }
