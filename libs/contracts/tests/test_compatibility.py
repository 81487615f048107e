"""The current events keep every promise of the released ones, and the checker sees each kind of broken promise."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from contracts.compatibility import breaks
from contracts.export import REPOSITORY, released
from contracts.json_schema import Schema, schemas

NAME = "connection.revoked.v1"


def test_nothing_released_is_broken():
    assert breaks(released(REPOSITORY), schemas()) == []


def test_everything_released_is_compared():
    assert released(REPOSITORY), "no version was released"


def changed(change: Callable[[Schema], Any]) -> list[str]:
    """What the checker says of a released event after a change to it."""
    before = {NAME: copy.deepcopy(schemas()[NAME])}
    after = copy.deepcopy(before)
    change(after[NAME])
    return breaks(before, after)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda s: s["properties"].pop("platform"), "field platform is removed"),
        (lambda s: s["properties"]["platform"].update(type="integer"), "field platform changed type"),
        (lambda s: s["properties"]["platform"].update(maxLength=50), "field platform changed maxLength"),
        (lambda s: s["properties"]["platform"].update(maxLength=500), "field platform changed maxLength"),
        (lambda s: s["properties"]["platform"].update(pattern="^x"), "field platform changed pattern"),
        (lambda s: s["properties"]["platform"].pop("pattern"), "field platform changed pattern"),
        (lambda s: s["properties"]["revoked_at"].update(format="uuid"), "field revoked_at changed format"),
        (
            lambda s: s["properties"].update(erasure_id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
            "field erasure_id changed anyOf",
        ),
        (lambda s: s["properties"]["platform"].update(default="x"), "field platform changed default"),
        (lambda s: s["required"].remove("platform"), "field platform is no longer required"),
        (lambda s: s["$defs"]["RevocationReason"]["enum"].remove("platform"), "no longer accepts 'platform'"),
        (lambda s: s["$defs"]["RevocationReason"]["enum"].append("moved"), "field reason may be 'moved'"),
        (lambda s: s["$defs"]["RevocationReason"].pop("enum"), "field reason lost its list of values"),
        (lambda s: s["properties"]["platform"].update(enum=["x"]), "field platform got its list of values"),
        (lambda s: s.update(additionalProperties=False), "the event changed additionalProperties"),
        (lambda s: s["x-signoff"].update(key="connection_id"), "the event changed x-signoff"),
        (
            lambda s: (s["properties"].update(extra={"type": "string"}), s["required"].append("extra")),
            "field extra is newly required",
        ),
    ],
)
def test_a_broken_promise_is_told(change: Callable[[Schema], Any], complaint: str):
    found = changed(change)
    assert any(complaint in line and line.startswith(f"{NAME}: ") for line in found), found


def test_a_removed_event_is_told():
    before = dict(schemas())
    after = {name: schema for name, schema in before.items() if name != NAME}
    assert breaks(before, after) == [f"{NAME}: removed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(extra={"type": "string"}),
        lambda s: s.update(description="Better words."),
        lambda s: s["properties"]["platform"].update(description="Which one."),
        lambda s: s["required"].reverse(),
        lambda s: s["$defs"]["RevocationReason"]["enum"].reverse(),
        # The same thing written in place instead of by reference.
        lambda s: s["properties"].update(reason=s["$defs"]["RevocationReason"]),
        lambda s: s["properties"].update(title={"type": "string"}, description={"type": "string"}),
    ],
)
def test_what_may_change_may(change: Callable[[Schema], Any]):
    assert changed(change) == []


def test_a_new_event_breaks_nothing():
    after = dict(schemas())
    before = {name: schema for name, schema in after.items() if name != NAME}
    assert breaks(before, after) == []


def test_a_field_called_like_a_keyword_is_compared_like_any_other():
    before = {NAME: {"properties": {"title": {"type": "string"}}}}
    assert breaks(before, {NAME: {"properties": {"title": {"type": "integer"}}}})
    assert breaks(before, {NAME: {"properties": {}}}) == [f"{NAME}: field title is removed"]
