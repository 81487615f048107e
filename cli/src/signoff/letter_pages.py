"""What `signoff dlq` prints: a table with a sum, JSON for programs, one dead letter whole.

A message that is no event may hold anything, so nothing of one reaches a terminal that could steer it.
"""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts import topology
from kit.dead_letters import DeadLetter
from rich.console import Console

_ROW = "{:>7}  {:<19.19}  {:<30}  {}"
"""Two lines a letter, 96 columns: an id of 36 characters stays in one piece, to be copied."""

_WORDS_MAX, _KEY_MAX = 30, 36


class Listing:
    """A table that is printed while it is read: the oldest, up to `rows` of them, then a sum for each consumer."""

    def __init__(self, rows: int) -> None:
        self.by_consumer: Counter[str] = Counter()
        self._rows = rows
        self._shown = 0
        self._console = Console()

    @property
    def count(self) -> int:
        return self.by_consumer.total()

    def add(self, page: Sequence[DeadLetter]) -> None:
        self.by_consumer.update(letter.consumer for letter in page)
        for letter in page[: self._rows - self._shown]:
            if not self._shown:
                self._print("id", "parked at (UTC)", "consumer", "key", style="bold")
                self._print("", "reason, attempts", "type", "error", style="bold")
            self._shown += 1
            self._print(str(letter.id), _time(letter.parked_at), letter.consumer, letter.key)
            reason = ", ".join(filter(None, [letter.reason, letter.attempts]))
            self._print("", reason or "–", letter.event or "–", letter.error or "–", style="dim")

    def close(self, *, filtered: bool) -> None:
        if not self.count:
            print("no dead letters match" if filtered else "no dead letters")
            return
        shown = f", the oldest {self._shown:,} shown" if self._shown < self.count else ""
        print(f"\n{counted(self.count)}{shown}")
        for consumer, number in sorted(self.by_consumer.items()):
            print(f"  {printable(consumer):<24}{number:>8,}")

    def _print(self, id_: str, first: str, second: str, third: str, *, style: str | None = None) -> None:
        row = _ROW.format(id_, printable(first), _cut(printable(second), _WORDS_MAX), _cut(printable(third), _KEY_MAX))
        self._console.out(row, style=style, highlight=False)


async def print_json(pages: AsyncIterator[list[DeadLetter]], *, limit: int | None) -> None:
    """One array, a letter a line, written while it is read."""
    console = Console()
    written = 0
    async for page in pages:
        for letter in page if limit is None else page[: limit - written]:
            console.out(",\n" if written else "[", json.dumps(_element(letter)), sep="", end="", highlight=False)
            written += 1
        if written == limit:
            break
    console.out("]" if written else "[]", highlight=False)


def print_letter(letter: DeadLetter, *, refusal: str | None, data: Path) -> None:
    """Everything about one, and the commands that end it; `refusal` is why it cannot be replayed."""
    option = "" if os.environ.get("NATS_URL") else f" --data {shlex.quote(str(data))}"
    _print_fields(
        {
            "dead letter": str(letter.id),
            "parked at": f"{_time(letter.parked_at)} UTC; it goes by itself at {_time(letter.expires)} UTC",
            "consumer": letter.consumer,
            "which takes": _taken_by(letter.consumer),
            "why": f"{letter.reason or 'not said'}: {letter.error or 'not said'}",
            "attempts": letter.attempts or "not said",
        },
    )
    _print_block("headers", [f"{name}: {value}" for name, value in sorted(letter.headers.items())])
    _print_block("body", _pretty(letter.body).splitlines())
    print()
    _print_fields(
        {
            "replay it": f"signoff dlq replay {letter.id}{option}" if refusal is None else f"not possible: {refusal}",
            "drop it": f"signoff dlq drop {letter.id}{option}",
        }
    )


def counted(number: int) -> str:
    return f"{number:,} dead letter{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text with nothing in it that a terminal would take as a command."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _element(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "parked_at": letter.parked_at.isoformat(),
        "consumer": letter.consumer,
        "type": letter.event or None,
        "key": letter.key,
        "reason": letter.reason or None,
        "error": letter.error or None,
        "attempts": int(letter.attempts) if letter.attempts.isdecimal() else None,
        "event_id": letter.headers.get("ce-id"),
    }


def _taken_by(name: str) -> str:
    consumer = topology.CONSUMERS.get(name)
    if consumer is None:
        return "nothing any more: the contracts no longer have it"
    return f"{', '.join(event.name() for event in consumer.events)} for the service {consumer.service}"


def _print_fields(fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        print(f"{name:<13}{printable(value)}")


def _print_block(title: str, lines: Sequence[str]) -> None:
    print(f"\n{title}")
    for line in lines or ["(empty)"]:
        print(f"  {printable(line)}")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2)
    except ValueError:
        return body.decode(errors="replace")


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
