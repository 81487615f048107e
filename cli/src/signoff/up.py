"""`signoff up`: start the system, say where it is, and keep it up until a signal comes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

import uvloop
from kit import heap, logs

from signoff.installation import Installation
from signoff.log_file import LogFile
from signoff.one_process import OneProcess
from signoff.split import Split
from signoff.system import System


def up(data: Path, *, port: int | None, split: bool, sandbox: bool) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    kind: type[System] = Split if split else OneProcess
    return uvloop.run(_serve(kind, data, port, sandbox))


def tell(line: str) -> None:
    """A line for the person at the terminal, at once."""
    print(line, flush=True)


def log_to_file(installation: Installation) -> None:
    """The process's log goes to the data folder; what needs a person's eye is shown too, in short."""
    logs.configure(LogFile(installation.path / "logs", installation.clock.now))
    shown = logging.StreamHandler()
    shown.setLevel(logging.WARNING)
    shown.setFormatter(_Short(installation.path / "logs"))
    logging.getLogger().addHandler(shown)


class _Short(logging.Formatter):
    """The name of what happened and where it is told in full. Its details may be long, and belong into the file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def format(self, record: logging.LogRecord) -> str:
        event = record.msg.get("event", "") if isinstance(record.msg, dict) else record.getMessage()
        first_line = str(event).partition("\n")[0][:200]
        return f"{record.levelname.lower()}: {first_line} (see {self._folder})"


async def _serve(kind: type[System], data: Path, port: int | None, sandbox: bool) -> int:
    started = time.monotonic()
    system = kind(data, port=port, sandbox=sandbox, environment=os.environ, report=tell, opened=log_to_file)
    stopping, dead = _Stopping(), list[str]()
    tell("signoff starts …")
    try:
        async with system:
            for line in _places(system):
                tell(line)
            tell(f"ready after {time.monotonic() - started:.1f} s; Ctrl-C stops it")
            heap.settle()
            try:
                await system.failed()
            finally:
                tell("stopping …")
                dead += await system.dead_services()
    except asyncio.CancelledError:
        if not stopping.asked:
            raise
    for service in dead:
        tell(f"{service} did not live any more; the log in {data} says why")
    tell("stopped")
    return 1 if dead else 0


def _places(system: System) -> list[str]:
    addresses = system.surroundings.addresses
    lines = [("gateway", system.gateway_url), ("NATS", addresses.nats_url)]
    if addresses.postgres is not None:
        lines.append(("PostgreSQL", f"{addresses.postgres.socket_directory} (Unix socket)"))
    else:
        lines.append(("PostgreSQL", "as the environment says"))
    lines += [(f"sandbox {name}", url) for name, url in (system.sandbox.base_urls if system.sandbox else {}).items()]
    told = system.environment_of("auth")
    lines.append(("mail", told.get("SMTP_URL") or f"files in {told['MAIL_FOLDER']}"))
    lines.append(("data and logs", str(system.surroundings.installation.path)))
    return [f"  {name:<16} {place}" for name, place in lines]


class _Stopping:
    """The first signal ends the system in order; more of them change nothing, because each step is bounded in time."""

    def __init__(self) -> None:
        self.asked = False
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._ask)

    def _ask(self) -> None:
        if not self.asked and self._task is not None:
            self.asked = True
            self._task.cancel()
