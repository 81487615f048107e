"""What every chapter of the demo works with: the system, the people, the time line, and what is known so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.server import Sandbox

from signoff.demo.observer import Observer
from signoff.demo.person import Person
from signoff.demo.timeline import Timeline
from signoff.system import System

ZONE = ZoneInfo("Europe/Berlin")


@dataclass
class Stage:
    """Ids and answers are filled in as the story goes on. `text` is what both posts begin with."""

    system: System
    observer: Observer
    line: Timeline
    owner: Person
    editor: Person
    workspace_id: str = ""
    connections: dict[str, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    text: str = "The sun comes up. So do we."
    post: dict[str, Any] = field(default_factory=dict)
    publications: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: dict[str, int] = field(default_factory=dict)
    erasures: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> str:
        """The path of the workspace."""
        return f"/api/workspaces/{self.workspace_id}"

    def gone(self, name: str, *, before: int | dict[str, int], after: int | dict[str, int]) -> bool:
        """Check that there was something, so that looking proves something, and that nothing is left of it."""
        was, left = (sum(count.values()) if isinstance(count, dict) else count for count in (before, after))
        where = f" in {', '.join(after)}" if isinstance(after, dict) and after else ""
        return self.line.judge(name, expected="some → 0", found=f"{was} → {left}{where}", passed=was > 0 and left == 0)

    @property
    def sandbox(self) -> Sandbox:
        assert self.system.sandbox is not None
        return self.system.sandbox
