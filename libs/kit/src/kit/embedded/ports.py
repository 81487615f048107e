"""Ports on the loopback interface: which are free, and which one a server had last time."""

from __future__ import annotations

import random
import socket
from itertools import islice

LOOPBACK = "127.0.0.1"

_CHOICE = range(10_240, 32_000)
"""Below what systems give to outgoing connections (from 32,768 on under Linux, higher elsewhere): one of these would
take the port between our look and the server's start."""


def free_port() -> int:
    """Return a port that nobody listens on at this moment; nothing reserves it."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return so many different ports that nobody listens on at this moment."""
    candidates = random.SystemRandom().sample(_CHOICE, len(_CHOICE))
    return list(islice(filter(is_free, candidates), count))


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do it, so that connections of a server just stopped do not count as somebody listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
        return True
