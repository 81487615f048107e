"""Properties of the code itself that no other tool checks: sizes, docstrings, words, and what every service has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("libs", "services", "cli") for path in (ROOT / folder).glob("**/src/**/*.py"))
SERVICES = sorted(path.parent for path in (ROOT / "services").glob("*/pyproject.toml"))

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
POLL_SECONDS_MAX = 0.05
"""Between two looks at a fact; anything longer is waiting for time to pass."""
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_keeps_the_house_rules(path: Path):
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not text.strip() or "versions" in path.parts, "no module docstring"
    assert text.count("\n") <= FILE_LINES_MAX
    long = [f.name for f in functions(tree) if (f.end_lineno or 0) - f.lineno > FUNCTION_LINES_MAX]
    assert not long, f"functions over {FUNCTION_LINES_MAX} lines"
    assert not UNFINISHED.search(text), "an unfinished word"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_has_its_page_and_its_rooms(service: Path):
    source = service / "src" / service.name
    assert (service / "README.md").is_file()
    for room in ("main.py", "settings.py"):
        assert (source / room).is_file(), f"{service.name} has no {room}"
    assert (source / "domain.py").is_file() or (source / "domain").is_dir()


def test_a_test_never_sleeps_to_wait():
    found = []
    for path in ROOT.glob("*/**/tests/**/*.py"):
        if ".venv" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep") and node.args:
                argument = node.args[0]
                if (
                    isinstance(argument, ast.Constant)
                    and isinstance(argument.value, int | float)
                    and argument.value > POLL_SECONDS_MAX
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found, "wait for a fact with kit.testing.wait_for"
