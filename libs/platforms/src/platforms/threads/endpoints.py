"""Where Threads is. Tests and the demo point this at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ThreadsEndpoints:
    """Base addresses without a trailing slash. Threads has hosts, applications and tokens of its own."""

    web: str = "https://www.threads.net"
    graph: str = "https://graph.threads.net"
