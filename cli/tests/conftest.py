"""The command as a person starts it: a process with a terminal's worth of output."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

SIGNOFF = str(Path(sys.executable).with_name("signoff"))


@dataclass(frozen=True)
class Running:
    """A process that was there a moment ago."""

    process: psutil.Process
    name: str
    parent: int
    command: list[str]


def running(processes: Iterable[psutil.Process]) -> Iterator[Running]:
    """Those that still run: PostgreSQL's own come and go at any moment, also between two looks."""
    for process in processes:
        with suppress(psutil.NoSuchProcess), process.oneshot():
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                yield Running(process, process.name(), process.ppid(), process.cmdline())


class Up:
    """`signoff up` in a process of its own, and what it has printed so far."""

    def __init__(self, data: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [SIGNOFF, "up", "--data", str(data), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ) | (environment or {}),
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self, seconds: float = 60) -> None:
        """Return once the system says that it is ready; fail with what it said instead."""
        assert self._ready.wait(seconds), self.text
        assert "ready after" in self.text, self.text

    def place(self, name: str) -> str:
        """The address that was printed for a part of the system."""
        return next(line.split()[-1] for line in self.lines if line.strip().startswith(name))

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, seconds: float = 60) -> int:
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if "ready after" in line:
                self._ready.set()
        self._ready.set()


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A short path, which a Unix socket needs, below a folder that PostgreSQL's own user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="signoff-up-"))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def started() -> Iterator[list[Up]]:
    """What a test has started; ended for certain afterwards."""
    every: list[Up] = []
    yield every
    for up in every:
        if up.process.poll() is None:
            up.process.kill()
            up.wait()
