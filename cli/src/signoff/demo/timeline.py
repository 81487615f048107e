"""What the demo prints: who did what, which events flowed because of it, and a table of everything that was checked.

Reads well at 100 columns, in a terminal and in a file alike: colours and the bar that shows how far the story is
appear only in a terminal.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

WIDTH_MAX = 100


@dataclass(frozen=True)
class Check:
    """One comparison that was made. `found` is what was there, `expected` what should have been."""

    name: str
    expected: str
    found: str
    passed: bool


class Timeline:
    """The story as lines. Times are seconds since the demo began."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._started = time.monotonic()
        self._chapters = 0
        self._bar = _bar(self._console)
        self._story = self._bar.add_task("starting", total=None)
        self.checks: list[Check] = []

    @contextmanager
    def telling(self, chapters: int) -> Iterator[None]:
        """Show below the lines how many of the chapters are told, until the end of the block."""
        self._bar.update(self._story, total=chapters)
        with self._bar:
            yield

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def title(self, text: str, subtitle: str) -> None:
        self._print(Text(text, style="bold"))
        self._print(Text(subtitle, style="dim"))

    def chapter(self, text: str) -> None:
        self._bar.update(self._story, completed=self._chapters, description=text)
        self._chapters += 1
        self._console.print()
        self._print(Text(f"{self._chapters}  {text}", style="bold"))

    def act(self, who: str, what: str) -> None:
        """Somebody does something."""
        self._print(Text.assemble((f"{self.seconds:6.1f} s  ", "dim"), (f"{who:<10}", "cyan"), what))

    def note(self, text: str) -> None:
        """What came of it."""
        self._print(Text.assemble(" " * 10, (f"{'':<10}", ""), (text, "dim")))

    def event(self, name: str, owner: str, listeners: list[str]) -> None:
        """An event flows from its owner to who listens."""
        to = ", ".join(listeners) or "-"
        self._print(Text.assemble(" " * 20, ("· ", "dim"), (f"{name:<28}", "magenta"), (f"{owner} → {to}", "dim")))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show in a terminal that something takes a moment; elsewhere nothing."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Text(text, style="dim")):
            yield

    def check(self, name: str, *, expected: object, found: object) -> bool:
        """Compare, remember, and say so at once if it is not as it should be."""
        return self.judge(name, expected=_shown(expected), found=_shown(found), passed=expected == found)

    def judge(self, name: str, *, expected: str, found: str, passed: bool) -> bool:
        """Remember a comparison that was made elsewhere, such as "more than"."""
        self.checks.append(Check(name, expected, found, passed))
        mark = Text("ok  ", style="green") if passed else Text("NO  ", style="bold red")
        line = Text.assemble(" " * 16, mark, name)
        if not passed:
            line.append(f": expected {expected}, found {found}", style="red")
            # What went wrong is worth more than one line.
            self._console.print(line, soft_wrap=True)
            return False
        self._print(line)
        return passed

    def summary(self) -> bool:
        """The table of checks; whether all of them passed."""
        table = Table(box=None, pad_edge=False, expand=False)
        columns = (("    what was checked", 54), ("expected", 20), ("found", 20))
        for heading, width in columns:
            table.add_column(heading, width=width, overflow="ellipsis", no_wrap=True)
        for check in self.checks:
            # In one column with the name: in a narrow terminal rich would squeeze a column of marks to nothing.
            mark = ("ok  ", "green") if check.passed else ("NO  ", "bold red")
            table.add_row(Text.assemble(mark, check.name), check.expected, check.found)
        self._console.print()
        self._console.print(table)
        passed = sum(check.passed for check in self.checks)
        everything = passed == len(self.checks) > 0
        self._console.print()
        verdict = f"{passed} of {len(self.checks)} checks passed in {self.seconds:.1f} s"
        self._print(Text(verdict, style="bold green" if everything else "bold red"))
        return everything

    def _print(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def _shown(value: object) -> str:
    """A value as a person would write it."""
    if value is None or (isinstance(value, Collection) and not value):
        return "nothing"
    match value:
        case dict():
            return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
        case set():
            return ", ".join(sorted(map(_shown, value)))
        case list() | tuple():
            return ", ".join(map(_shown, value))
        case datetime():
            return f"{value.astimezone():%d %b %H:%M:%S %Z}"
        case _:
            return str(value)


def _bar(console: Console) -> Progress:
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _console() -> Console:
    console = Console(highlight=False, emoji=False)
    # Piped into a file there is no width to ask for.
    console.width = min(console.width, WIDTH_MAX) if console.is_terminal else WIDTH_MAX
    return console
