"""The current events keep every promise of the released ones, and the checker sees each kind of broken promise."""

from __future__ import annotations

import copy
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from contracts.compatibility import breaks
from contracts.event import Event, Word
from contracts.export import REPOSITORY, released
from contracts.json_schema import Schema, schema_of, schemas
from pydantic import Field, create_model

NAME = "connection.revoked.v1"


def test_nothing_released_is_broken():
    assert breaks(released(REPOSITORY), schemas()) == []


def test_everything_released_is_compared():
    assert released(REPOSITORY), "no version was released"


def made(*, key: str = "workspace_id", **fields: Any) -> Schema:
    """The schema of an event with these fields besides its id."""
    definitions: dict[str, Any] = {"workspace_id": UUID} | fields
    cls = create_model("PostMovedV1", __base__=Event, **definitions)
    cls.type, cls.version, cls.owner, cls.key_field, cls.aggregate_field = "post.moved", 1, "content", key, key
    return schema_of(cls)


class Place(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class MorePlaces(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"


def text(**limits: Any) -> Any:
    return Annotated[str, Field(**limits)]


Pattern = Annotated[str, Field(pattern="^a")]
Narrower = Annotated[str, Field(pattern="^ab")]
SHORT, LONG = text(min_length=2, max_length=10), text(min_length=2, max_length=20)


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        pytest.param(UUID, None, "field it is removed", id="removed"),
        pytest.param(None, UUID, "field it is newly required, stored events do not have it", id="newly required"),
        pytest.param((int, 1), int, "field it is newly required, stored events do not have it", id="default lost"),
        pytest.param(int, (int, 1), "field it is no longer required, consumers count on it", id="default got"),
        pytest.param((int, 1), (int, 2), "field it changed default from 1 to 2", id="another default"),
        pytest.param(float, int, "field it changed type from number to integer", id="narrower type"),
        pytest.param(int, float, "field it changed type from integer to number", id="wider type"),
        pytest.param(Word, int, "field it changed type from string to integer", id="another type"),
        pytest.param(str, UUID, "field it changed format from None to 'uuid'", id="format got"),
        pytest.param(UUID, str, "field it changed format from 'uuid' to None", id="format lost"),
        pytest.param(LONG, SHORT, "field it changed maxLength from 20 to 10", id="shorter"),
        pytest.param(SHORT, LONG, "field it changed maxLength from 10 to 20", id="longer"),
        pytest.param(text(), text(min_length=2), "field it changed minLength from None to 2", id="not empty"),
        pytest.param(Pattern, Narrower, "field it changed pattern from '^a' to '^ab'", id="pattern"),
        pytest.param(Pattern, text(), "field it changed pattern from '^a' to None", id="pattern lost"),
        pytest.param(int, Annotated[int, Field(ge=1)], "field it changed minimum from None to 1", id="bound"),
        pytest.param(MorePlaces, Place, "field it no longer accepts 'top', which stored events have", id="value lost"),
        pytest.param(Place, MorePlaces, "field it may be 'top', which consumers do not know", id="value added"),
        pytest.param(Place, Word, "field it lost its list of values", id="values lost"),
        pytest.param(Word, Place, "field it got its list of values", id="values got"),
        pytest.param((int | None, None), (int, None), "field it no longer accepts null", id="null refused"),
        pytest.param((int, None), (int | None, None), "field it may be null, which consumers do not know", id="null"),
        pytest.param(
            (Place | None, None), (MorePlaces | None, None), "field it may be 'top', which consumers do not know",
            id="value added where it may be null",
        ),
        pytest.param(
            tuple[MorePlaces, ...], tuple[Place, ...],
            "each item of field it no longer accepts 'top', which stored events have", id="value of items removed",
        ),
        pytest.param(tuple[int, ...], int, "field it changed type from array to integer", id="no list any more"),
        pytest.param(
            dict[Word, float], dict[Word, int],
            "each value of field it changed type from number to integer", id="narrower values of a map",
        ),
        pytest.param(
            dict[Pattern, int], dict[Narrower, int],
            "field it changed the pattern of its keys from ^a to ^ab", id="keys of a map",
        ),
    ],
)  # fmt: skip
def test_a_broken_promise_is_told_in_one_line(before: Any, now: Any, line: str):
    stored, current = (made(**({} if it is None else {"it": it})) for it in (before, now))
    assert breaks({NAME: stored}, {NAME: current}) == [f"{NAME}: {line}"]


def test_another_subject_or_order_is_a_broken_promise():
    assert breaks({NAME: made()}, {NAME: made(post_id=(UUID, UUID(int=0)), key="post_id")}) == [
        f"{NAME}: the event changed aggregate from 'workspace_id' to 'post_id'",
        f"{NAME}: the event changed key from 'workspace_id' to 'post_id'",
    ]


def test_refusing_unknown_fields_is_a_broken_promise():
    assert breaks({NAME: made()}, {NAME: made() | {"additionalProperties": False}}) == [
        f"{NAME}: the event changed additionalProperties from None to False"
    ]


def test_a_withdrawn_event_is_told():
    before = dict(schemas())
    after = {name: schema for name, schema in before.items() if name != NAME}
    assert breaks(before, after) == [f"{NAME}: withdrawn, while streams and consumers may still have it"]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(extra={"type": "string"}),
        lambda s: s.update(description="Better words."),
        lambda s: s.update(deprecated=False),
        lambda s: s["properties"]["platform"].update(description="Which one."),
        lambda s: s["required"].reverse(),
        lambda s: s["$defs"]["RevocationReason"]["enum"].reverse(),
        # The same thing written in place instead of by reference.
        lambda s: s["properties"].update(reason=s["$defs"]["RevocationReason"]),
        lambda s: s["properties"].update(title={"type": "string"}, description={"type": "string"}),
    ],
)
def test_what_may_change_may(change: Callable[[Schema], Any]):
    before = {NAME: copy.deepcopy(schemas()[NAME])}
    after = copy.deepcopy(before)
    change(after[NAME])
    assert breaks(before, after) == []


def test_another_field_with_a_default_may_be_added():
    assert breaks({NAME: made()}, {NAME: made(it=(int | None, None))}) == []


def test_a_new_event_breaks_nothing():
    after = dict(schemas())
    before = {name: schema for name, schema in after.items() if name != NAME}
    assert breaks(before, after) == []


def test_a_field_called_like_a_keyword_is_compared_like_any_other():
    before = {NAME: {"properties": {"title": {"type": "string"}}}}
    assert breaks(before, {NAME: {"properties": {"title": {"type": "integer"}}}})
    assert breaks(before, {NAME: {"properties": {}}}) == [f"{NAME}: field title is removed"]
