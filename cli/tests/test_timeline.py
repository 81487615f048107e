"""What the demo prints reads well in a file, and its verdict is honest."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from signoff.demo.timeline import Timeline


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def line(page: io.StringIO) -> Timeline:
    return Timeline(Console(file=page, width=100, highlight=False))


def test_without_a_terminal_there_are_no_control_codes_and_no_long_lines(page: io.StringIO, line: Timeline):
    line.title("Title " * 30, "subtitle " * 30)
    line.chapter("chapter " * 30)
    line.act("somebody", "does something " * 30)
    line.event("post.approved", "content", ["scheduler", "publisher"] * 10)
    line.note("note " * 50)
    with line.waiting("for something"):
        line.check("a check " * 20, expected=[1] * 100, found=[1] * 100)
    assert line.summary()
    assert "\x1b" not in page.getvalue()
    assert "for something" not in page.getvalue()
    assert max(map(len, page.getvalue().splitlines())) <= 100


@pytest.mark.parametrize(
    ("expected", "found", "passed"),
    [(1, 1, True), (1, 2, False), ({}, {}, True), ({}, {"a": 1}, False), ("1", 1, False), ([], (), False)],
)
def test_one_failed_check_fails_the_whole(line: Timeline, expected: object, found: object, passed: bool):
    line.check("fine", expected=True, found=True)
    assert line.check("this", expected=expected, found=found) is passed
    assert line.summary() is passed


def test_what_failed_is_told_whole(page: io.StringIO, line: Timeline):
    reason = "a very long reason " * 20
    line.judge("this", expected="yes", found=reason, passed=False)
    assert reason.strip() in " ".join(page.getvalue().split())


def test_no_check_is_no_success(line: Timeline):
    assert not line.summary()


def test_values_are_shown_as_people_write_them(page: io.StringIO, line: Timeline):
    line.check("states", expected={"tiktok": "active"}, found={"tiktok": "active"})
    line.check("left", expected={}, found={})
    line.summary()
    assert "tiktok active" in page.getvalue()
    assert "nothing" in page.getvalue()
