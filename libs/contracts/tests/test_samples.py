"""Every event has one hand-written sample, which stands for everything that was ever stored: it must stay readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from contracts.export import REPOSITORY, released
from contracts.json_schema import schemas
from contracts.registry import EVENTS
from jsonschema import Draft202012Validator
from pydantic import ValidationError

SAMPLES = {path.stem: path for path in (Path(__file__).parents[1] / "samples").glob("*.json")}
SCHEMAS = schemas()


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SAMPLES[name].read_text())
    return document


def is_valid(name: str, document: object) -> bool:
    checker = Draft202012Validator(SCHEMAS[name], format_checker=Draft202012Validator.FORMAT_CHECKER)
    return checker.is_valid(document)


def test_every_event_has_a_sample_and_no_sample_is_an_orphan():
    assert SAMPLES.keys() == EVENTS.keys()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_read_and_written_without_loss(name: str):
    event = EVENTS[name].model_validate_json(SAMPLES[name].read_bytes())
    written = event.model_dump_json(exclude_none=True)
    assert json.loads(written) == sample(name)
    assert EVENTS[name].model_validate_json(written) == event
    assert event.subject() == f"{name}.{sample(name)[event.key_field]}"


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_fits_its_schema_and_shows_every_field(name: str):
    assert is_valid(name, sample(name))
    assert sample(name).keys() == EVENTS[name].model_fields.keys()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_without_a_required_field_class_and_schema_refuse(name: str):
    for field in SCHEMAS[name]["required"]:
        broken = {key: value for key, value in sample(name).items() if key != field}
        assert not is_valid(name, broken)
        with pytest.raises(ValidationError):
            EVENTS[name].model_validate(broken)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_field_of_a_newer_producer_is_ignored(name: str):
    newer = sample(name) | {"a_later_field": "x"}
    assert is_valid(name, newer)
    assert EVENTS[name].model_validate_json(json.dumps(newer)) == EVENTS[name].model_validate_json(
        SAMPLES[name].read_bytes()
    )


def test_a_consumer_of_the_last_release_takes_what_is_told_now():
    for name, schema in released(REPOSITORY).items():
        Draft202012Validator(schema).validate(sample(name))


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("connection.revoked.v1", "reason", "boredom"),
        ("connection.revoked.v1", "platform", "A sentence."),
        ("connection.revoked.v2", "platform_confirmation", True),
        ("member.added.v1", "role", "stranger"),
        ("post.approved.v1", "content_hash", "9F2C"),
        ("media.uploaded.v1", "size_bytes", 0),
        ("publication.published.v1", "platform_post_id", "how nice this is"),
        ("schedule.created.v1", "connection_ids", [1]),
    ],
)
def test_what_a_field_is_not_is_refused_by_class_and_schema(name: str, field: str, value: object):
    broken = sample(name) | {field: value}
    assert not is_valid(name, broken)
    with pytest.raises(ValidationError):
        EVENTS[name].model_validate_json(json.dumps(broken))


def test_a_time_without_an_offset_is_refused():
    broken = sample("schedule.due.v1") | {"due_at": "2026-03-29T01:00:00"}
    with pytest.raises(ValidationError, match="has an offset"):
        EVENTS["schedule.due.v1"].model_validate_json(json.dumps(broken))
