"""The time zone database: one known release of it, the same on every machine.

The rules come from the package tzdata and never from the machine, whose own copy may be years old, and another one on
the next machine. So each instant that was worked out can say by which release, and is worked out anew by a later one.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

import tzdata


class UnknownZone(Exception):
    """No IANA time zone has this name."""


class Zones:
    """One release: the zones by name, as compiled files (RFC 9636) below a folder."""

    def __init__(self, folder: Traversable, names: frozenset[str], version: str) -> None:
        self.version = version
        """As IANA numbers it, `2026a`: a later one is greater."""

        self.names = names
        self._folder = folder
        self._read: dict[str, ZoneInfo] = {}

    def zone(self, name: str) -> ZoneInfo:
        """The zone of this name; raises `UnknownZone`. A name that is not listed is never looked for in files."""
        if name not in self.names:
            raise UnknownZone(name)
        if name not in self._read:
            with self._folder.joinpath(*name.split("/")).open("rb") as file:
                self._read[name] = ZoneInfo.from_file(file, key=name)
        return self._read[name]


@cache
def shipped() -> Zones:
    """The release that is installed with the scheduler."""
    package = files("tzdata")
    names = frozenset(package.joinpath("zones").read_text().split())
    return Zones(package.joinpath("zoneinfo"), names, tzdata.IANA_VERSION)


def zone(name: str) -> ZoneInfo:
    """The zone of this name in the release that is installed; raises `UnknownZone`."""
    return shipped().zone(name)
