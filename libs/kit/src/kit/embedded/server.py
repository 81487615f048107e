"""What both embedded servers share: start and stop with or without a loop, the lock, and word of a crash.

All work is done by the `_blocking` methods, which fixtures of a whole test session use as they are; the others
run them on a thread, since an event loop must not wait for a process.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from kit.embedded.data_directory import FolderLock, make_private_folder
from kit.embedded.errors import EmbeddedError
from kit.embedded.processes import ChildExit, ChildProcess


class EmbeddedServer(ABC):
    """One server process over one folder. `start` again after `stop`, `kill` or a crash gives the same data."""

    def __init__(self, folder: Path, *, on_unexpected_exit: Callable[[ChildExit], None] | None) -> None:
        self._folder = folder
        self._on_unexpected_exit = on_unexpected_exit
        self._lock = FolderLock(folder / "lock", owner="another process of ours")
        self._child: ChildProcess | None = None

    async def start(self) -> None:
        """Return once the server takes connections; raises `EmbeddedError`. Cancelled, it leaves nothing behind."""
        starting = asyncio.ensure_future(asyncio.to_thread(self.start_blocking))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be interrupted: let it finish, then undo what it did.
            with contextlib.suppress(EmbeddedError):
                await starting
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the server and keep its data. Without effect when it does not run."""
        await asyncio.to_thread(self.stop_blocking)

    async def kill(self) -> None:
        """End the server as a crash would. `start` brings it back."""
        await asyncio.to_thread(self.kill_blocking)

    async def exited(self) -> ChildExit:
        """Wait for the end of the running server, whatever ends it."""
        if self._child is None:
            raise EmbeddedError(f"{self._folder.name} does not run: start it first")
        return await self._child.exited()

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self._child.running else None

    def start_blocking(self) -> None:
        if self.running:
            return
        self._release()
        try:
            make_private_folder(self._folder.parent)
            make_private_folder(self._folder)
            self._lock.acquire()
            self._child = self._launch()
        except OSError as error:
            self._release()
            raise EmbeddedError.of_system(error, self._folder) from error
        except BaseException:
            self._release()
            raise
        if self._on_unexpected_exit is not None:
            self._child.report_crash_to(self._on_unexpected_exit)

    def stop_blocking(self) -> None:
        if self._child is not None:
            self._child.stop_blocking()
        self._release()

    def kill_blocking(self) -> None:
        if self._child is not None:
            self._child.kill_blocking()
        self._release()

    @abstractmethod
    def _launch(self) -> ChildProcess:
        """Start the process and return it once it is ready, or raise with no process left."""

    def _release(self) -> None:
        self._child = None
        self._lock.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
