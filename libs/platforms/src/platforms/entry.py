"""What the registry needs to know of a platform's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from platforms.access import Access
from platforms.platform import Platform
from platforms.shape import PlatformName


@dataclass(frozen=True)
class Placed:
    """A platform at its addresses, and every host that may be called for it (patterns as in `platforms.http`)."""

    platform: Platform
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One platform's folder. `place` makes its client: at the real addresses for None, else at one base address.

    `post_hosts`: where people see its posts, at these hosts and those below them.
    """

    name: PlatformName
    place: Callable[[str | None], Placed]
    access: Access
    post_hosts: tuple[str, ...]
