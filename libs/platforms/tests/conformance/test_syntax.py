"""The AT Protocol's formats, against the protocol's own vectors."""

from __future__ import annotations

import pytest

from libs.platforms.tests.conformance.specifications import folder_of
from libs.platforms.tests.conformance.syntax import FORMATS

FILES = {
    "at-identifier": "atidentifier_syntax",
    "at-uri": "aturi_syntax",
    "cid": "cid_syntax",
    "datetime": "datetime_syntax",
    "did": "did_syntax",
    "handle": "handle_syntax",
    "language": "language_syntax",
    "nsid": "nsid_syntax",
    "record-key": "recordkey_syntax",
    "tid": "tid_syntax",
    "uri": "uri_syntax",
}


def vectors(name: str) -> list[str]:
    """The lines of one file; none where the specifications are not here."""
    folder = folder_of("bluesky")
    file = folder / "interop-tests" / "syntax" / f"{name}.txt" if folder else None
    if file is None:
        print(f"{name} is not here: SIGNOFF_SPECS names no folder")  # noqa: T201
        return []
    return [line for line in file.read_text().split("\n") if line and not line.startswith("#")]


@pytest.mark.parametrize("form", FILES)
def test_each_format_takes_what_is_valid_and_nothing_else(form: str) -> None:
    refused = [text for text in vectors(f"{FILES[form]}_valid") if not FORMATS[form](text)]
    taken = [text for text in vectors(f"{FILES[form]}_invalid") if FORMATS[form](text)]
    assert (refused, taken) == ([], [])


def test_a_datetime_is_a_moment_that_exists() -> None:
    assert [text for text in vectors("datetime_parse_invalid") if FORMATS["datetime"](text)] == []
