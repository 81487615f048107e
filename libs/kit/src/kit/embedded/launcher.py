"""Become another program that runs as a given user and receives a signal when its starter dies.

Run as a script between the supervisor and each child; imports nothing of ours and is gone after `exec`, so it
costs a few milliseconds and no memory. A hook between fork and exec in the supervisor itself would not do:
Python code there can deadlock as soon as the supervisor has threads.

Arguments: the starter's process id, the signal's number, the user id or "-", the group id or "-", the command.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def become(starter: int, signal_number: int, uid: str, gid: str, command: list[str]) -> None:
    """Give up root where told so, ask the kernel for the signal, and turn into the command."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # After the change of user, which would clear it again. Other systems have nothing like it: there a child
        # that outlived its starter is found and stopped at the next start.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != starter:
        # The starter died before the request was in place; the kernel will not tell us any more.
        sys.exit(1)
    os.umask(0o077)
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        # The last line of the child's log becomes the message to the operator; a traceback would not fit there.
        sys.exit(f"{command[0]}: {error.strerror} (user {os.geteuid()})")


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
