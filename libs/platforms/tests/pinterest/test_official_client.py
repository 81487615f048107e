"""Pinterest's own Python client against the sandbox, with nothing changed but the address."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from datetime import timedelta

from kit.clock import FixedClock
from platforms.shape import Call
from sandbox.pinterest.state import number_of
from sandbox.server import Sandbox

# It reads its address when it is imported, so it gets a process of its own.
PROGRAM = """
import datetime, json, os, sys
from openapi_generated.pinterest_client.api.pins_api import PinsApi
from pinterest.client import PinterestSDKClient
from pinterest.organic.boards import Board
from pinterest.organic.pins import Pin

client = PinterestSDKClient.create_client_with_token(os.environ["TOKEN"])
board = Board(board_id=os.environ["BOARD"], client=client)
pin = Pin.create(
    board_id=board.id,
    title="From Pinterest",
    description="By its own client",
    media_source={"source_type": "image_base64", "content_type": "image/png", "data": os.environ["IMAGE"]},
    client=client,
)
again = Pin(pin_id=pin.id, client=client)
today = datetime.date.fromisoformat(os.environ["TODAY"])
counts = PinsApi(client).pins_analytics(pin.id, today - datetime.timedelta(days=7), today, ["IMPRESSION", "SAVE"])
told = {"id": pin.id, "board": board.name, "title": again.title, "counts": str(counts)}
json.dump(told, sys.stdout)
"""


async def test_it_publishes_reads_back_and_counts(sandbox: Sandbox, call: Call, clock: FixedClock):
    environment = {
        **os.environ,
        "PINTEREST_API_URI": sandbox.base_urls["pinterest"] + "/v5",
        "TOKEN": call.grant.access_token.reveal(),
        "BOARD": number_of("board", "brand_one"),
        "IMAGE": base64.b64encode(b"not really a picture").decode(),
        "TODAY": clock.now().date().isoformat(),
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (post,) = sandbox.truth.posts("pinterest")
    assert (post.text, post.settings["title"]) == ("By its own client", "From Pinterest")
    assert post.post_id in done.stdout
    assert '"board": "Everything"' in done.stdout
    assert "IMPRESSION" in done.stdout
    clock.advance(timedelta(seconds=1))
