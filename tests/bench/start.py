"""How long the whole system takes to be ready, and how much memory it holds when idle.

Two ways to run the same code are measured in the same run: every service in one process, and a process each.
Memory is the sum of proportional set sizes (pages shared by several processes are divided among them) over
the command and all its descendants, NATS and PostgreSQL included. The sandbox is started by itself, from the command
to its nine addresses, imports included.

Run alone on the machine: `make bench-start`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

READY_SECONDS_MAX = 6.0
IDLE_MB_MAX = 250.0
SANDBOX_SECONDS_MAX = 1.0
SETTLE_SECONDS = 45.0
"""Connections that only the start needed are given up one by one, ten seconds apart."""
SIGNOFF = Path(sys.executable).with_name("signoff")


@dataclass(frozen=True)
class Start:
    """One start on a data folder: seconds until the ready line, megabytes when idle, processes."""

    seconds: float
    idle_mb: float
    processes: int
    parts_mb: dict[str, float]


def start(data: Path, *options: str) -> Start:
    began = time.monotonic()
    command = [str(SIGNOFF), "up", "--data", str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready"):
                break
        else:
            raise SystemExit("the system did not become ready")
        seconds = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        parts = memory_of(process.pid)
        process.terminate()
        process.communicate(timeout=60)
    return Start(seconds, sum(mb for _, mb in parts), len(parts), _by_kind(parts))


def start_sandbox() -> float:
    """Seconds until the sandbox prints its nine addresses."""
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "sandbox"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("{"):
            raise SystemExit("the sandbox did not start")
        seconds = time.monotonic() - began
        process.terminate()
    return seconds


def memory_of(pid: int) -> list[tuple[str, float]]:
    root = psutil.Process(pid)
    family = [root, *root.children(recursive=True)]
    return [(process.name(), process.memory_full_info().pss / 1e6) for process in family]


def _by_kind(parts: list[tuple[str, float]]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for name, mb in parts:
        kind = name if name in ("postgres", "nats-server") else "services"
        kinds[kind] = kinds.get(kind, 0.0) + mb
    return kinds


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        one, split = Path(folder) / "one", Path(folder) / "split"
        results = {
            "one process, first start": start(one),
            "one process, again": start(one),
            "a process each, first start": start(split, "--split"),
            "a process each, again": start(split, "--split"),
        }
        sandbox = min(start_sandbox() for _ in range(5))
    table = Table(title="signoff up: from the command to the ready line, then idle")
    for column in (
        "",
        "seconds",
        f"of {READY_SECONDS_MAX:g} s",
        "PSS MB",
        f"of {IDLE_MB_MAX:g} MB",
        "processes",
        "parts",
    ):
        table.add_column(column, justify="left" if column in ("", "parts") else "right")
    for name, result in results.items():
        table.add_row(
            name,
            f"{result.seconds:.1f}",
            f"{result.seconds / READY_SECONDS_MAX:.2f}",
            f"{result.idle_mb:.0f}",
            f"{result.idle_mb / IDLE_MB_MAX:.2f}",
            str(result.processes),
            ", ".join(f"{kind} {mb:.0f}" for kind, mb in sorted(result.parts_mb.items())),
        )
    console = Console(width=120)
    console.print(table)
    console.print(
        f"sandbox: nine addresses after {sandbox:.2f} s, "
        f"{sandbox / SANDBOX_SECONDS_MAX:.2f} of {SANDBOX_SECONDS_MAX:g} s"
    )


if __name__ == "__main__":
    main()
