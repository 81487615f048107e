"""`signoff promises`: every promise of docs/promises.yaml, and the tests that claim to prove it.

The tests' sources are read, not run: a test claims a promise with `@pytest.mark.promise("P22")`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from kit.settings import SettingError
from rich.console import Console
from rich.table import Table

LEDGER = Path("docs") / "promises.yaml"
TEST_FOLDERS = ("libs", "services", "cli", "tests")


@dataclass
class Promise:
    """One row of the ledger and where it is proven, as `file::test`. `missing`: what no test proves yet."""

    id: str
    area: str
    duty: str
    missing: str = ""
    tests: list[str] = field(default_factory=list)


def print_promises(root: Path) -> int:
    """Print the table; code 1 if a test names a promise that there is not."""
    promises = read_ledger(root)
    unknown = assign_tests(root, promises)
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("promise", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("duty", ratio=1)
    table.add_column("proven by", ratio=1, overflow="fold")
    for promise in promises.values():
        state = f"{len(promise.tests)} tests" if promise.tests else "open"
        if promise.missing:
            state += ", in part"
        duty = f"{promise.duty} (Missing: {promise.missing}.)" if promise.missing else promise.duty
        table.add_row(promise.id, state, duty, "\n".join(promise.tests))
    console = Console(soft_wrap=False)
    console.print(table)
    proven = sum(bool(promise.tests) and not promise.missing for promise in promises.values())
    console.print(f"\n{proven} of {len(promises)} promises have tests; {len(promises) - proven} are open")
    for line in unknown:
        console.print(f"unknown promise: {line}")
    return 1 if unknown else 0


def read_ledger(root: Path) -> dict[str, Promise]:
    """The rows in their order. Raises `SettingError` if the ledger is missing or is none."""
    file = root / LEDGER
    try:
        document = yaml.safe_load(file.read_text())
        return {
            id_: Promise(id_, area, row["duty"], row.get("missing", ""))
            for area, rows in document.items()
            for id_, row in rows.items()
        }
    except FileNotFoundError:
        raise SettingError(f"there is no {file}: name the folder of the sources with --root") from None
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise SettingError(f"{file} is no ledger of promises") from error


def assign_tests(root: Path, promises: dict[str, Promise]) -> list[str]:
    """Add each test to the promises it names; returns those that name an unknown one."""
    unknown = []
    for file in _test_files(root):
        for test, id_ in _claims(ast.parse(file.read_text(), filename=str(file))):
            name = f"{file.relative_to(root)}::{test}"
            if id_ in promises:
                promises[id_].tests.append(name)
            else:
                unknown.append(f"{id_} in {name}")
    return unknown


def _test_files(root: Path) -> Iterator[Path]:
    for folder in TEST_FOLDERS:
        for file in sorted((root / folder).rglob("test_*.py")):
            if not any(part.startswith(".") for part in file.relative_to(root).parts):
                yield file


def _claims(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every (test, promise) of a module; a mark on a class counts for each test in it."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    for id_ in [*_marks(node), *_marks(inner)]:
                        yield f"{node.name}::{inner.name}", id_
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for id_ in _marks(node):
                yield node.name, id_


def _marks(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
            for argument in decorator.args:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)
