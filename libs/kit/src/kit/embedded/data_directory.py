"""The folder that holds everything an installation in one place owns: one user at a time, one known layout.

`signoff up` takes it before any server starts; the servers lock their own part with the same `FolderLock`.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from kit.embedded.errors import EmbeddedError

LAYOUT_VERSION = "1"
VERSION_FILE = "VERSION"
LOCK_FILE = "lock"


class DataDirectory:
    """A data folder, ours alone from `acquire` to `release`. Also usable as a context manager.

    The folder is closed to other users (0700). Where PostgreSQL has to run as a user of its own, `EmbeddedPostgres`
    lets that user's group pass through (0710), and nobody list it. Folders made inside are 0700 again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = FolderLock(self.path / LOCK_FILE, owner="another `signoff up`")

    def acquire(self) -> Self:
        """Create the folder where it is missing, lock it, and check that its layout is the one we know."""
        try:
            make_private_folder(self.path)
            self._lock.acquire()
            self._check_version()
        except OSError as error:
            self._lock.release()
            raise EmbeddedError.of_system(error, self.path) from error
        except BaseException:
            self._lock.release()
            raise
        return self

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def folder(self, name: str) -> Path:
        """Return the folder of that name inside, created closed to other users."""
        return make_private_folder(self.path / name)

    def _check_version(self) -> None:
        version_file = self.path / VERSION_FILE
        if not version_file.exists():
            strangers = sorted(entry.name for entry in self.path.iterdir() if entry.name != LOCK_FILE)
            if strangers:
                raise EmbeddedError(
                    f"{self.path} already holds other files ({strangers[0]}): name a new or empty folder for the data"
                )
            write_private_file(version_file, LAYOUT_VERSION + "\n")
        found = version_file.read_text().strip()
        if found != LAYOUT_VERSION:
            raise EmbeddedError(
                f"{self.path} has layout {found}, this release knows layout {LAYOUT_VERSION}: "
                "run the release that made it, or restore a backup into a new folder"
            )

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class FolderLock:
    """A lock file held through `flock`: the kernel gives it back when the holder dies, however it dies."""

    def __init__(self, path: Path, *, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise at once; waiting would only hide that two run on the same data."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise EmbeddedError(
                f"{self._path.parent} is in use by {self._owner} (process {holder or 'unknown'}): "
                "stop that one first, or name another folder for the data"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two hold a lock on two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def make_private_folder(path: Path) -> Path:
    """Create a folder, and its parents, that only we may enter; one that exists keeps its mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private_file(path: Path, text: str) -> None:
    """Write a file only we may read, whole or not at all, also across a power cut."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
