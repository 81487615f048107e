"""In what NATS differs from the contracts: field by field, as data and as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from nats.js.api import ConsumerConfig, StreamConfig

from kit.streams import OWNER

_SECONDS = ("max_age", "duplicate_window", "ack_wait", "inactive_threshold")


class Kind(StrEnum):
    MISSING = "missing"
    DIFFERS = "differs"
    OBSOLETE = "obsolete"


@dataclass(frozen=True)
class Difference:
    """One difference between the server and the contracts; as text, a line for people."""

    what: str
    kind: Kind
    field: str = ""
    present: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.MISSING:
                return f"{self.what}: missing"
            case Kind.OBSOLETE:
                return f"{self.what}: not in the contracts"
            case _:
                return f"{self.what}: {self.field} {self.present} → {self.wanted}"


def compared(what: str, present: StreamConfig | ConsumerConfig, wanted: Mapping[str, Any]) -> list[Difference]:
    found = []
    for field, value in wanted.items():
        is_there = _shown(field, _present(present, field))
        if is_there != (to_be := _shown(field, value)):
            found.append(Difference(what, Kind.DIFFERS, field, is_there, to_be))
    return found


def _present(config: StreamConfig | ConsumerConfig, field: str) -> Any:
    value = getattr(config, field)
    if field == "filter_subjects" and not value:
        # The server folds a list of one into the older single field.
        single = getattr(config, "filter_subject", None)
        return [single] if single else []
    # It adds notes of its own to ours.
    return {OWNER: (value or {}).get(OWNER)} if field == "metadata" else value


def _shown(field: str, value: Any) -> str:
    """A value as people read it. The server leaves out what is nothing, so no, none and zero are the same."""
    if field == "metadata":
        return f"{OWNER}={value[OWNER] or 'nobody'}"
    if not value:
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list):
        return ", ".join(sorted(map(str, value)))
    if field in _SECONDS:
        return f"{value:g} s" if value != int(value) else f"{int(value)} s"
    return str(value).lower()
