"""Child processes that end when we end, tell us when they end on their own, and are stopped in bounded time.

The embedded servers run through this; so does every service when each gets a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

import psutil
import structlog

from kit.embedded import launcher
from kit.embedded.accounts import Account

log = structlog.get_logger(__name__)

LOG_ROTATION_BYTES = 5_000_000
# After SIGKILL only the kernel has work left; a process that stays longer hangs in a disk that does not answer.
KILL_SECONDS = 10.0

# Linux sends the parent-death signal when the *thread* that started the child ends, not the process. One thread
# that lives until the interpreter ends therefore starts all children. The interpreter joins it on its way out, so
# children that nobody stopped get the signal then too.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-starter")


@dataclass(frozen=True, slots=True)
class ChildExit:
    """How a child ended. A negative code is the number of the signal that ended it."""

    name: str
    pid: int
    code: int
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run, as whom, where its output goes, and how it wants to be asked to stop.

    `inherited`: descriptors that the child finds open under the same numbers, such as a listening socket.
    """

    name: str
    command: Sequence[str]
    directory: Path
    log_file: Path
    stop_signal: Signals
    stop_seconds: float
    account: Account | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited: Sequence[int] = ()


class ChildProcess:
    """One started child. An end that nobody asked for is logged as an error, and told to whom it concerns."""

    def __init__(self, spec: ChildSpec) -> None:
        self._spec = spec
        self._stopping = False
        self._exit: Future[ChildExit] = Future()
        # A future that runs cannot be cancelled by somebody who stops waiting for it.
        self._exit.set_running_or_notify_cancel()
        self._process = _starter.submit(self._spawn).result()
        threading.Thread(target=self._watch, name=f"{spec.name}-watch", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self._exit.done()

    async def exited(self) -> ChildExit:
        """Wait until the child has ended, whatever the reason."""
        return await asyncio.wrap_future(self._exit)

    def report_crash_to(self, listener: Callable[[ChildExit], None]) -> None:
        """Call the listener once if the child ends unasked, from a thread of its own, or now if it already did."""

        def tell(ended: Future[ChildExit]) -> None:
            if not ended.result().expected:
                listener(ended.result())

        self._exit.add_done_callback(tell)

    def stop_blocking(self) -> ChildExit:
        """Ask the child to stop, wait as long as its kind may need, then kill it."""
        self._stopping = True
        self._signal(self._spec.stop_signal)
        try:
            return self._exit.result(self._spec.stop_seconds)
        except TimeoutError:
            # Both servers recover from a kill; a command that never returns would be worse.
            log.warning("child_stop_timed_out", child=self._spec.name, waited_seconds=self._spec.stop_seconds)
            self._signal(Signals.SIGKILL)
            return self._exit.result(KILL_SECONDS)

    def kill_blocking(self) -> ChildExit:
        """End the child as a crash would, and report it as one: made to try out what happens then."""
        self._signal(Signals.SIGKILL)
        return self._exit.result(KILL_SECONDS)

    def log_tail(self, lines: int = 3) -> str:
        """Return the last lines the child wrote, for a message about a failed start."""
        return tail(self._spec.log_file, lines)

    def _signal(self, number: Signals) -> None:
        if self.running:
            self._process.send_signal(number)

    def _spawn(self) -> subprocess.Popen[bytes]:
        spec = self._spec
        _rotate(spec.log_file)
        descriptor = os.open(spec.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - the command is ours
                launched(spec.command, account=spec.account, death_signal=spec.stop_signal),
                cwd=spec.directory,
                env=child_environment(spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                pass_fds=spec.inherited,
                # Ctrl-C in the terminal reaches us alone; we stop the children after what still needs them.
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    def _watch(self) -> None:
        code = self._process.wait()
        ended = ChildExit(self._spec.name, self._process.pid, code, expected=self._stopping)
        if not ended.expected:
            log.error("child_exited", child=ended.name, pid=ended.pid, code=code, log_file=str(self._spec.log_file))
        self._exit.set_result(ended)


def launched(command: Sequence[str], *, account: Account | None, death_signal: Signals) -> list[str]:
    """Return the command, wrapped so that it runs as the account and does not outlive this process."""
    user, group = (str(account.uid), str(account.gid)) if account else ("-", "-")
    starter = (str(os.getpid()), str(int(death_signal)), user, group)
    return [sys.executable, "-I", "-S", launcher.__file__, *starter, *map(str, command)]


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that hands no child our settings, which include keys and passwords."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC", **extra}


def stop_leftovers(program: str, *, directory: Path, stop_signal: Signals, stop_seconds: float) -> None:
    """Stop every process of that program that works in the folder; the caller holds the folder's lock.

    They are what a killed supervisor left behind. They are stopped and never adopted: they would not end with
    us, and nobody would hear of their end. Processes in the folder cannot be mistaken for others, which a process
    id from a file can once the number is used again.
    """
    found = list(_working_in(directory, program=program))
    if not found:
        return
    log.warning("leftover_processes_found", program=program, pids=[process.pid for process in found])
    _send(found, stop_signal)
    _, alive = psutil.wait_procs(found, timeout=stop_seconds)
    _send(alive, Signals.SIGKILL)
    psutil.wait_procs(alive, timeout=KILL_SECONDS)


def wait_until(ready: Callable[[], bool], *, child: ChildProcess, timeout_seconds: float) -> bool:
    """Poll a fact until it holds; False when the child ended or the time is over before that."""
    deadline = time.monotonic() + timeout_seconds
    while not ready():
        if not child.running or time.monotonic() > deadline:
            return False
        # Far below the start time of either server, and too rare to cost anything.
        time.sleep(0.005)
    return True


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a text file, or nothing when there is no such file."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _working_in(directory: Path, *, program: str) -> Iterable[psutil.Process]:
    wanted = str(directory.resolve())
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == program and process.cwd() == wanted:
                yield process
        except psutil.Error:
            # Ended meanwhile, or another user's: not one of ours either way.
            continue


def _send(processes: Iterable[psutil.Process], number: Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _rotate(path: Path) -> None:
    """Keep one older log, so that the output of years of restarts has a bound."""
    if path.exists() and path.stat().st_size > LOG_ROTATION_BYTES:
        path.replace(path.with_name(path.name + ".1"))
