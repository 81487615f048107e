"""`python -m sandbox`: serve until SIGINT or SIGTERM, after one JSON line with the base addresses."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from kit.clock import MovableClock, SystemClock

from sandbox.server import IMITATED, Sandbox
from sandbox.tuning import Tuning

PLATFORMS = tuple(kind.name for kind in IMITATED)


async def serve(arguments: argparse.Namespace) -> None:
    """Run until a signal comes."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    clock = MovableClock(arguments.clock_file) if arguments.clock_file else SystemClock()
    tuning = Tuning(processing_seconds=arguments.processing_seconds, webhook_url=arguments.webhook_url)
    ports = {name: getattr(arguments, f"port_{name}") for name in PLATFORMS}
    async with Sandbox(clock=clock, tuning=tuning, ports=ports) as sandbox:
        sys.stdout.write(json.dumps(sandbox.base_urls) + "\n")
        sys.stdout.flush()
        await ended.wait()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Serve the imitated platforms.")
    for name in PLATFORMS:
        parser.add_argument(f"--port-{name}", type=int, default=0, help="fixed port; default: a free one")
    parser.add_argument("--clock-file", type=Path, help="the file of a movable clock, shared with other processes")
    parser.add_argument("--processing-seconds", type=float, default=Tuning.processing_seconds)
    parser.add_argument("--webhook-url", help="where events are sent; {platform} in it is the name")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(serve(parse()))
