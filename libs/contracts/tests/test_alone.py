"""Another system can take the contracts by themselves: nothing of ours comes with them, and nobody's but pydantic."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
MODULES = sorted(path.stem for path in (PACKAGE / "src/contracts").glob("*.py") if path.stem != "__init__")

IMPORTS = """
import importlib, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(f"contracts.{name}")
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
"""
PYDANTIC = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}


def test_importing_every_module_brings_pydantic_and_nothing_else():
    asked = subprocess.run(
        [sys.executable, "-I", "-c", IMPORTS, *MODULES], capture_output=True, text=True, timeout=60, check=True
    )
    # The standard library's own table of the machine has the machine's name in its own.
    imported = {name for name in asked.stdout.split() if not name.startswith("_sysconfigdata")}
    assert imported - PYDANTIC == {"contracts"}


def test_the_package_asks_for_pydantic_and_nothing_else():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert [needed.split(">")[0] for needed in project["dependencies"]] == ["pydantic"]
