"""Writes what is generated from the contracts: `python -m contracts.export`, or `make contracts`.

`--check` writes nothing and ends with 1 and a list if a file is not current; CI runs it. `--release` makes the
current schemas the released ones, unless that would break a promise (`contracts.compatibility`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts import asyncapi, events_page, permissions_page
from contracts.compatibility import breaks
from contracts.json_schema import Schema, schemas

REPOSITORY = Path(__file__).resolve().parents[4]
CONTRACTS = Path("libs/contracts")
SUFFIX = ".schema.json"


def generated() -> Mapping[Path, str]:
    """Every generated file with its content; paths are relative to the repository."""
    files = {CONTRACTS / "schemas" / (name + SUFFIX): _json(schema) for name, schema in schemas().items()}
    files[CONTRACTS / "asyncapi" / "signoff.json"] = _json(asyncapi.document())
    files[Path("docs/events.md")] = events_page.page()
    files[Path("docs/permissions.md")] = permissions_page.page()
    return files


def stale(repository: Path) -> list[str]:
    """Files that are missing, differ, or are left over from an event that is no more; a line each."""
    wanted = generated()
    differing = [
        path for path, text in wanted.items() if not (repository / path).is_file() or _read(repository / path) != text
    ]
    return sorted(str(path) for path in [*differing, *_left_over(repository, wanted)])


def write(repository: Path) -> None:
    wanted = generated()
    for path in _left_over(repository, wanted):
        (repository / path).unlink()
    for path, text in wanted.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text, encoding="utf-8")


def released(repository: Path) -> Mapping[str, Schema]:
    """The schemas of the last released version, by event name."""
    files = sorted((repository / CONTRACTS / "released").glob("*" + SUFFIX))
    return {file.name.removesuffix(SUFFIX): json.loads(_read(file)) for file in files}


def release(repository: Path) -> list[str]:
    """Make the current schemas the released ones; returns the broken promises, in which case nothing is written."""
    current = schemas()
    found = breaks(released(repository), current)
    if not found:
        folder = repository / CONTRACTS / "released"
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in current.items():
            (folder / (name + SUFFIX)).write_text(_json(schema), encoding="utf-8")
    return found


def main(arguments: Sequence[str], repository: Path = REPOSITORY) -> int:
    match arguments:
        case []:
            write(repository)
            return 0
        case ["--check"]:
            return _complain(stale(repository), "not current, run make contracts")
        case ["--release"]:
            return _complain(release(repository), "not released, see libs/contracts/README.md")
    return _complain(list(arguments), "not an argument; known are --check and --release")


def _complain(lines: Sequence[str], why: str) -> int:
    for line in lines:
        print(f"{line}: {why}", file=sys.stderr)  # noqa: T201
    return 1 if lines else 0


def _left_over(repository: Path, wanted: Mapping[Path, str]) -> list[Path]:
    present = (repository / CONTRACTS / "schemas").glob("*" + SUFFIX)
    return [path for file in present if (path := file.relative_to(repository)) not in wanted]


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
