"""From where somebody calls: the network address and the kind of device, as far as they can be known."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kit.addresses import network_of

USER_AGENT_LENGTH_MAX = 300
"""Browsers send some 120 characters; what is longer is kept to here."""

_UNKNOWN = "unknown"

_PROGRAMS = (
    ("Edge", re.compile(r"\bEdgA?(?:iOS)?/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS)/")),
    ("Safari", re.compile(r"\bSafari/")),
)
"""In this order: most name themselves after the ones below them too."""

_SYSTEMS = (
    ("Android", re.compile(r"\bAndroid\b")),
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMacintosh\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)

_PRODUCT = re.compile(r"[A-Za-z][\w.-]{0,30}(?=/)")


@dataclass(frozen=True)
class Client:
    """Where a request came from. Nothing is known of one that did not come through the gateway."""

    address: str | None = None
    user_agent: str | None = None

    @property
    def network(self) -> str:
        """What is counted and recognised as one place."""
        return network_of(self.address) if self.address else _UNKNOWN

    @property
    def device(self) -> str:
        """Short words such as `Firefox on Linux`. Without versions: an update does not make it another device."""
        agent = self.user_agent or ""
        system = _first(_SYSTEMS, agent)
        product = _PRODUCT.match(agent)
        program = _first(_PROGRAMS, agent) or (product[0] if product and product[0] != "Mozilla" else None)
        return " on ".join(part for part in (program, system) if part) or _UNKNOWN


def _first(choices: tuple[tuple[str, re.Pattern[str]], ...], agent: str) -> str | None:
    return next((name for name, pattern in choices if pattern.search(agent)), None)
