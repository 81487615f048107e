"""Whether the published documents are here, and that the tables of differences hold nothing they do not need."""

from __future__ import annotations

import pytest

from libs.platforms.tests.conformance.specifications import READERS, specification_of, table_of


@pytest.mark.parametrize("platform", READERS)
def test_what_is_checked_is_said(platform: str, record_property) -> None:
    """Without the documents nothing is validated, and this line says so."""
    specification = specification_of(platform)
    said = "is checked against its specification" if specification else "IS NOT CHECKED: SIGNOFF_SPECS names no folder"
    record_property(platform, said)
    print(f"{platform} {said}")  # noqa: T201
    assert said


@pytest.mark.parametrize("platform", READERS)
def test_every_difference_has_a_reason_and_is_needed(platform: str) -> None:
    specification = specification_of(platform)
    for entry in table_of(platform):
        assert entry.reason.endswith("."), f"{entry.route} {entry.pointer}: a reason is a sentence"
        if specification:
            assert entry.is_needed(specification), f"{entry}: without it the specification would be content"
