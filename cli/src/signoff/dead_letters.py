"""`signoff dlq`: look at the events that a consumer gave up on, give them to it again, or drop them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nats.errors
import nats.js.errors
from cyclopts import CycloptsError
from kit.clock import SystemClock
from kit.dead_letters import DeadLetter
from kit.replays import PAGE, DeadLetters, Selection
from rich.console import Console
from rich.progress import Progress

from signoff import letter_pages
from signoff.letter_filters import IDS_MAX, NO_FILTERS, LetterFilters
from signoff.operate import operator_bus

SHOWN = 100
"""Rows of a table if nobody asks for more: a screen or two."""

SHOWN_BEFORE = 20
"""Rows shown to who is to decide about them."""


@dataclass(frozen=True)
class Choice:
    """The letters a person means: those with an id, or those that filters find."""

    ids: tuple[int, ...]
    selection: Selection

    async def pages(self, letters: DeadLetters) -> AsyncIterator[list[DeadLetter]]:
        """What there is of them, some hundred at a time."""
        if not self.ids:
            async for page in letters.pages(self.selection):
                yield page
        for start in range(0, len(self.ids), PAGE):
            found = [await letters.find(id_) for id_ in self.ids[start : start + PAGE]]
            yield [letter for letter in found if letter is not None]


@dataclass
class _Survey:
    """What is there before anything is done about it; `missing` are ids that are not."""

    listing: letter_pages.Listing
    missing: set[int]
    last_id: int = 0


@dataclass(frozen=True)
class _Deed:
    """What can be done with dead letters, and the words for it. It answers what failed, by id."""

    do: Callable[[DeadLetters, Sequence[DeadLetter]], Awaitable[Mapping[int, str]]]
    foresee: Callable[[DeadLetters, Sequence[DeadLetter]], Awaitable[Mapping[int, str]]]
    question: str
    done: str


async def _nothing_fails(_: DeadLetters, __: Sequence[DeadLetter]) -> Mapping[int, str]:
    return {}


_REPLAY = _Deed(
    do=DeadLetters.replay,
    foresee=DeadLetters.refusals,
    question="Give {letters} to {consumers} again?",
    done="replayed",
)
_DROP = _Deed(
    do=DeadLetters.drop, foresee=_nothing_fails, question="Delete {letters} of {consumers} for good?", done="dropped"
)


def list_letters(filters: LetterFilters, *, limit: int | None, as_json: bool, data: Path) -> int:
    """Print the oldest as a table with a sum, or every one of them as JSON."""
    choice = Choice((), _selection(filters))
    if as_json:
        return _answered(lambda: asyncio.run(_print_json(choice, limit=limit, data=data)))

    def table() -> int:
        survey = asyncio.run(_look(choice, data, rows=SHOWN if limit is None else limit))
        survey.listing.close(filtered=filters != NO_FILTERS)
        return 0

    return _answered(table)


def show_letter(id_: int, *, data: Path) -> int:
    """Print one whole, and what can be done about it."""
    return _answered(lambda: asyncio.run(_show(id_, data)))


def replay_letters(
    ids: Sequence[int], filters: LetterFilters, *, everything: bool, yes: bool, dry_run: bool, data: Path
) -> int:
    """Give events to the consumers that gave up on them, once more, when a person says so."""
    choice = _choice(ids, filters, everything=everything)
    return _answered(lambda: _decide(_REPLAY, choice, yes=yes, dry_run=dry_run, data=data))


def drop_letters(
    ids: Sequence[int], filters: LetterFilters, *, everything: bool, yes: bool, dry_run: bool, data: Path
) -> int:
    """Delete dead letters for good, when a person says so."""
    choice = _choice(ids, filters, everything=everything)
    return _answered(lambda: _decide(_DROP, choice, yes=yes, dry_run=dry_run, data=data))


async def _print_json(choice: Choice, *, limit: int | None, data: Path) -> int:
    async with operator_bus(data) as client:
        await letter_pages.print_json(choice.pages(DeadLetters(client)), limit=limit)
    return 0


async def _show(id_: int, data: Path) -> int:
    async with operator_bus(data) as client:
        letters = DeadLetters(client)
        letter = await letters.find(id_)
        if letter is None:
            return _complain(f"there is no dead letter {id_}")
        refused = await letters.refusals([letter])
    letter_pages.print_letter(letter, refusal=refused.get(id_), data=data)
    return 0


def _decide(deed: _Deed, choice: Choice, *, yes: bool, dry_run: bool, data: Path) -> int:
    """Show what is meant, ask, and do it. The connection is closed while a person thinks."""
    if not (yes or dry_run or sys.stdin.isatty()):
        raise CycloptsError(msg="there is no terminal to ask on: say --yes, or --dry-run to look only")
    survey = asyncio.run(_look(choice, data, rows=SHOWN_BEFORE))
    count = survey.listing.count
    if count or not survey.missing:
        survey.listing.close(filtered=choice.selection != Selection())
    for id_ in sorted(survey.missing):
        _complain(f"there is no dead letter {id_}")
    failures = len(survey.missing)
    if count:
        if not (yes or dry_run or _agrees(deed, survey.listing)):
            return _complain("nothing was done")
        # What was parked since was not shown, so nobody has agreed to it.
        shown = replace(choice, selection=replace(choice.selection, id_until=survey.last_id))
        handled, failed = asyncio.run(_work(deed, shown, data, count=count, dry_run=dry_run))
        print(f"{'would be ' if dry_run else ''}{deed.done}: {handled - failed:,}")
        failures += failed
    return 1 if failures else 0


async def _look(choice: Choice, data: Path, *, rows: int) -> _Survey:
    survey = _Survey(letter_pages.Listing(rows), set(choice.ids))
    async with operator_bus(data) as client:
        async for page in choice.pages(DeadLetters(client)):
            survey.listing.add(page)
            survey.missing.difference_update(letter.id for letter in page)
            survey.last_id = max([survey.last_id, *(letter.id for letter in page)])
    return survey


async def _work(deed: _Deed, choice: Choice, data: Path, *, count: int, dry_run: bool) -> tuple[int, int]:
    """Act page by page and name each failure in a line; returns how many letters there were, and how many failed."""
    act = deed.foresee if dry_run else deed.do
    handled = failures = 0
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("dead letters", total=count)
        async with operator_bus(data) as client:
            letters = DeadLetters(client)
            async for page in choice.pages(letters):
                failed = await act(letters, page)
                handled, failures = handled + len(page), failures + len(failed)
                for id_, why in sorted(failed.items()):
                    _complain(f"{id_}: {letter_pages.printable(why)}")
                progress.advance(task, len(page))
    return handled, failures


def _agrees(deed: _Deed, listing: letter_pages.Listing) -> bool:
    letters = letter_pages.counted(listing.count)
    question = deed.question.format(letters=letters, consumers=", ".join(sorted(listing.by_consumer)))
    try:
        return input(f"{letter_pages.printable(question)} Type yes: ").strip() == "yes"
    except EOFError:
        return False


def _choice(ids: Sequence[int], filters: LetterFilters, *, everything: bool) -> Choice:
    if [bool(ids), filters != NO_FILTERS, everything].count(True) != 1:
        raise CycloptsError(msg="name dead letters by their ids, or by filters, or all of them with --all")
    if len(ids) > IDS_MAX:
        raise CycloptsError(msg=f"at most {IDS_MAX:,} ids at a time: use filters")
    # Once each, in the order in which they were parked.
    return Choice(tuple(sorted(set(ids))), _selection(filters))


def _selection(filters: LetterFilters) -> Selection:
    now = SystemClock().now()
    return Selection(
        consumer=filters.consumer,
        event=filters.event,
        key=None if filters.workspace is None else str(filters.workspace),
        parked_from=None if filters.newer_than is None else now - filters.newer_than,
        parked_until=None if filters.older_than is None else now - filters.older_than,
    )


def _answered(command: Callable[[], int]) -> int:
    """The command's code; what NATS or the person puts in its way becomes one line."""
    try:
        return command()
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        return _complain(f"NATS does not answer as it should ({type(error).__name__}). Nothing is lost: run it again")
    except KeyboardInterrupt:
        return _complain("stopped. What is done stays done: run it again for the rest")


def _complain(message: str) -> int:
    print(f"signoff: {message}", file=sys.stderr)
    return 1
