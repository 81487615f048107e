"""A secret leaves its box through one door only."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable

import pytest
from kit.secret import Secret

VALUE = "act.3kXyZ-very-secret"


@dataclasses.dataclass
class Grant:
    token: Secret


@pytest.mark.promise("P22")
@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{!r:>40}".format,
        lambda secret: f"{secret:s}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # the old way must be as silent
        lambda secret: repr(Grant(secret)),
        lambda secret: str([secret, {"x": secret}]),
        lambda secret: str(ValueError(secret)),
        lambda secret: json.dumps({"token": secret}, default=str),
        lambda secret: repr(vars(type(secret))) + repr(dir(secret)),
    ],
)
def test_no_way_of_printing_shows_it(shown: Callable[[Secret], str]):
    assert VALUE not in shown(Secret(VALUE))


@pytest.mark.promise("P22")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled_nor_serialised(protocol: int):
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE), protocol)
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(VALUE))
    with pytest.raises(TypeError):
        json.dumps(Secret(VALUE))


def test_it_reveals_itself_when_asked():
    assert Secret(VALUE).reveal() == VALUE


def test_secrets_are_equal_by_value_and_equal_to_nothing_else():
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE)}) == 1


def test_an_empty_one_is_false():
    assert not Secret("")
    assert Secret(VALUE)
