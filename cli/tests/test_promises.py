"""The ledger against the tests' sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from signoff.main import main
from signoff.promises import assign_tests, read_ledger

LEDGER = """
# comment
identity:
  P01: {systems: [0, 1], duty: "One thing."}
  P02: {systems: [1], duty: "Another: with a colon."}
publishing:
  P40: {systems: [0], duty: "A third."}
"""

TESTS = """
import pytest

@pytest.mark.promise("P01")
@pytest.mark.promise("P40")
async def test_both(): ...

@pytest.mark.parametrize("x", [1])
@pytest.mark.promise("P01", "P02")
def test_in_one_mark(x): ...

@pytest.mark.promise("P02")
class TestGroup:
    def test_inner(self): ...

def promise(x): ...

@promise("P40")
def test_other_decorator(): ...

# @pytest.mark.promise("P40")
TEXT = '@pytest.mark.promise("P40")'
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "promises.yaml").write_text(LEDGER)
    tests = tmp_path / "services" / "auth" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_one.py").write_text(TESTS)
    (tests / "conftest.py").write_text(TESTS)
    hidden = tmp_path / "libs" / ".venv"
    hidden.mkdir(parents=True)
    (hidden / "test_hidden.py").write_text(TESTS)
    return tmp_path


def test_every_claim_is_found_and_nothing_else(tree: Path):
    promises = read_ledger(tree)
    assert assign_tests(tree, promises) == []
    file = "services/auth/tests/test_one.py"
    assert {promise.id: promise.tests for promise in promises.values()} == {
        "P01": [f"{file}::test_both", f"{file}::test_in_one_mark"],
        "P02": [f"{file}::test_in_one_mark", f"{file}::TestGroup::test_inner"],
        "P40": [f"{file}::test_both"],
    }
    assert promises["P02"].duty == "Another: with a colon."


def test_what_nobody_proves_is_open(tree: Path, capsys: pytest.CaptureFixture[str]):
    (tree / "services" / "auth" / "tests" / "test_one.py").write_text("")
    assert main(["promises", "--root", str(tree)]) == 0
    output = capsys.readouterr().out
    assert output.count("open") == 4
    assert "0 of 3 promises have tests" in output


def test_what_is_proven_in_part_is_not_counted_as_proven(tree: Path, capsys: pytest.CaptureFixture[str]):
    in_part = LEDGER.replace('"One thing."', '"One thing.", missing: "the other half"')
    (tree / "docs" / "promises.yaml").write_text(in_part)
    assert main(["promises", "--root", str(tree)]) == 0
    output = capsys.readouterr().out
    assert "2 tests, in part" in output
    assert "2 of 3 promises have tests" in output


def test_a_claim_of_an_unknown_promise_fails(tree: Path, capsys: pytest.CaptureFixture[str]):
    (tree / "services" / "auth" / "tests" / "test_two.py").write_text(TESTS.replace("P40", "P99"))
    assert main(["promises", "--root", str(tree)]) == 1
    assert "unknown promise: P99 in services/auth/tests/test_two.py::test_both" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: b\n", "a:\n  P01: {}\n", "{", "a: [\n"])
def test_a_broken_ledger_is_one_line(tree: Path, capsys: pytest.CaptureFixture[str], text: str):
    (tree / "docs" / "promises.yaml").write_text(text)
    assert main(["promises", "--root", str(tree)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_ledger_of_this_repository_is_readable():
    promises = read_ledger(Path(__file__).parents[2])
    assert len(promises) > 50
    assert assign_tests(Path(__file__).parents[2], promises) == []
