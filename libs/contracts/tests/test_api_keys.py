"""A key is recognised by its look, and a slip in it too."""

from __future__ import annotations

import re

import pytest
from contracts import api_keys
from contracts.api_keys import ALPHABET, compose, is_well_formed

KEY = compose("abcdEFG1", "0" * 43)


@pytest.mark.promise("P06")
def test_a_key_is_recognised_in_the_middle_of_a_text():
    found = re.search(api_keys.PATTERN, f'API_KEY="{KEY}" # live')
    assert found is not None
    assert is_well_formed(found[0])
    assert len(KEY) == api_keys.KEY_CHARACTERS


@pytest.mark.promise("P06")
def test_every_slip_of_one_character_and_every_swap_of_neighbours_is_noticed():
    secret = (ALPHABET * 2)[10 : 10 + api_keys.SECRET_CHARACTERS]
    key = compose("aB3dE6gH", secret)
    for index in range(3, len(key)):
        other = "x" if key[index] != "x" else "y"
        assert not is_well_formed(key[:index] + other + key[index + 1 :]), index
        swapped = key[: index - 1] + key[index] + key[index - 1] + key[index + 1 :]
        assert swapped == key or not is_well_formed(swapped), index


@pytest.mark.parametrize(
    "text", ["", "so_", KEY[:-1], KEY + "0", f" {KEY}", f"{KEY}\n", KEY.replace("so_", "SO_"), "ä" * 60]
)
def test_what_is_no_key_is_none(text: str):
    assert is_well_formed(KEY)
    assert not is_well_formed(text)
