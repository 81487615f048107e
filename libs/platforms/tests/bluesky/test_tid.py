"""Record keys: their form, and that they only depend on the publication."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platforms.bluesky.tid import ALPHABET, encode, tid_for

FORM = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def _vectors(name: str) -> list[str]:
    """The protocol's own test vectors, from the folder that SIGNOFF_SPECS names; none without it."""
    file = Path(os.environ.get("SIGNOFF_SPECS", "")) / "bluesky" / "interop-tests" / "syntax" / name
    if not file.is_file():
        print(f"{name} is not here: set SIGNOFF_SPECS to check against the protocol's own vectors")  # noqa: T201
        return []
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def _decode(tid: str) -> tuple[int, int]:
    value = 0
    for character in tid:
        value = value << 5 | ALPHABET.index(character)
    return value >> 10, value & 1023


@pytest.mark.parametrize("tid", ["3jzfcijpj2z2a", "7777777777777", "3zzzzzzzzzzzz", "2222222222222"])
def test_known_keys_are_made_from_their_parts(tid: str) -> None:
    assert encode(*_decode(tid)) == tid


def test_the_protocols_own_vectors_agree() -> None:
    for tid in _vectors("tid_syntax_valid.txt"):
        assert FORM.fullmatch(tid)
        assert encode(*_decode(tid)) == tid
    for text in _vectors("tid_syntax_invalid.txt"):
        assert not FORM.fullmatch(text)


@pytest.mark.parametrize(("microseconds", "clock_id"), [(-1, 0), (1 << 53, 0), (0, 1024), (0, -1)])
def test_what_does_not_fit_is_refused(microseconds: int, clock_id: int) -> None:
    with pytest.raises(ValueError, match="53 bits"):
        encode(microseconds, clock_id)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)), st.uuids())  # noqa: DTZ001
def test_a_key_keeps_the_planned_millisecond(moment: datetime, publication_id: UUID) -> None:
    planned_at = moment.replace(tzinfo=UTC)
    tid = tid_for(planned_at, publication_id)
    assert FORM.fullmatch(tid)
    told = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_decode(tid)[0])
    assert abs(told - planned_at) < timedelta(milliseconds=1)
    assert tid == tid_for(planned_at, publication_id)


def test_publications_of_the_same_second_get_different_keys() -> None:
    keys = {tid_for(AT, UUID(int=number)) for number in range(200)}
    assert len(keys) == 200


def test_keys_sort_by_time() -> None:
    publication_id = UUID(int=1)
    keys = [tid_for(AT + timedelta(seconds=step), publication_id) for step in range(50)]
    assert keys == sorted(keys)
