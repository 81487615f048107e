"""The system user that PostgreSQL runs as: ourselves, or a user of its own where we are root.

PostgreSQL refuses to run as root. `EmbeddedPostgres` asks here who is to run it, and opens the way to its files.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import structlog

from kit.embedded.errors import EmbeddedError

log = structlog.get_logger(__name__)

SERVER_USER = "pgserver"
ROOT = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group, by number."""

    uid: int
    gid: int


def server_account(cluster: Path) -> Account | None:
    """Return the user to run the server as, or None when that is simply ourselves."""
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != ROOT:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedError(
                f"{cluster} belongs to user {owner.st_uid}, you are user {os.geteuid()}: "
                "run as that user (or as root), or name another folder for the data"
            )
        return None
    if owner is not None and owner.st_uid != ROOT:
        # Made by an ordinary user and now run by root: it stays that user's, who can go on with it later.
        return Account(owner.st_uid, owner.st_gid)
    return _own_user()


def open_the_way(account: Account, *, target: Path, own: Path | None = None) -> None:
    """Let the account reach a file or folder through every folder above it.

    `own` is our data folder: there the account's group is let through and nobody else. Folders further up are
    not ours to give away; where they are closed, everybody may pass through and still nobody may list them.
    """
    for folder in reversed(target.resolve().parents):
        state = folder.stat()
        if _may_enter(account, state):
            continue
        if own is not None and folder == own.resolve():
            os.chown(folder, -1, account.gid)
            folder.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXGRP)
        else:
            log.warning("folder_opened_for_passing", folder=str(folder), uid=account.uid)
            folder.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXOTH)


def give(account: Account | None, path: Path) -> None:
    """Make a file or folder the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def give_tree(account: Account, top: Path) -> None:
    """Make everything under a folder of root's the account's own, the folder itself last, so that a second try ends it.

    A base backup that root took or unpacked is such a folder; the server would not be allowed to read it.
    """
    if not top.exists() or top.stat().st_uid != ROOT:
        return
    for folder, _, files in os.walk(top, topdown=False):
        for path in (*(Path(folder, name) for name in files), Path(folder)):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _own_user() -> Account:
    try:
        entry = pwd.getpwnam(SERVER_USER)
    except KeyError:
        _create_user()
        entry = pwd.getpwnam(SERVER_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _create_user() -> None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    advice = f"PostgreSQL cannot run as root: run as an ordinary user, or create the user {SERVER_USER} first"
    if program is None:
        raise EmbeddedError(advice)
    command = [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the command is ours
    # Somebody else may have created it between our look and our try.
    if done.returncode != 0 and SERVER_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        raise EmbeddedError(f"{advice} ({done.stderr.strip()})")
    log.info("system_user_created", user=SERVER_USER)


def _may_enter(account: Account, state: os.stat_result) -> bool:
    if state.st_uid == account.uid:
        return bool(state.st_mode & stat.S_IXUSR)
    if state.st_gid == account.gid:
        return bool(state.st_mode & stat.S_IXGRP)
    return bool(state.st_mode & stat.S_IXOTH)
