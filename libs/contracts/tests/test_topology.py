"""Streams and consumers agree with the events: nothing is published that no stream holds, nothing awaited in vain."""

from __future__ import annotations

import re

import pytest
from contracts.event import Event
from contracts.registry import EVENTS, UnknownEvent, class_for, event, is_told
from contracts.retention import ErasureTaskDoneV1
from contracts.topology import (
    CONSUMERS,
    DEAD_LETTERS,
    STREAMS,
    consumers_of,
    erasing_services,
    listeners_of,
    producers_of,
    stream_of,
)
from pydantic import ConfigDict

SERVICES = {"auth", "content", "scheduler", "publisher", "metrics", "retention"}


def matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subject falls under a pattern with `*` and `>`."""
    expression = re.escape(pattern).replace(r"\*", r"[^.]+").replace(">", ".+")
    return re.fullmatch(expression, subject) is not None


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_in_exactly_one_stream_its_owners(name: str):
    event_class = EVENTS[name]
    subject = f"{name}.0199c1d0-0000-7000-8000-000000000000"
    holding = [stream.name for stream in STREAMS.values() if any(matches(s, subject) for s in stream.subjects)]
    assert holding == [stream_of(event_class).name]
    assert stream_of(event_class).owner == event_class.owner


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_name_is_entity_fact_and_version(name: str):
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*", name)
    assert EVENTS[name].__name__ == "".join(part.capitalize() for part in re.split(r"[._]", name))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_says_what_it_means(name: str):
    assert EVENTS[name].__doc__


def test_no_two_streams_take_the_same_subject():
    patterns = [pattern for stream in STREAMS.values() for pattern in stream.subjects]
    assert all(re.fullmatch(r"[a-z]+\.>|replay\.[a-z]+\.>", pattern) for pattern in patterns)
    assert len(patterns) == len(set(patterns))
    assert "replay" not in {entity for stream in STREAMS.values() for entity in stream.entities}


@pytest.mark.parametrize("name", sorted(CONSUMERS))
def test_a_consumer_takes_events_of_its_stream_only(name: str):
    consumer = CONSUMERS[name]
    assert consumer.service in SERVICES
    assert consumer.events
    assert {stream_of(event_class).name for event_class in consumer.events} == {consumer.stream}
    assert len(set(consumer.arriving)) == len(consumer.arriving), "an event is listed in its newest version only"


@pytest.mark.parametrize("name", sorted(CONSUMERS))
def test_a_consumers_name_is_one_token_and_its_dead_letters_have_a_stream(name: str):
    consumer = CONSUMERS[name]
    assert re.fullmatch(r"[a-z-]+", name)
    assert name == consumer.name
    assert any(matches(pattern, consumer.dead_letter_subject("0199")) for pattern in STREAMS[DEAD_LETTERS].subjects)


def test_no_consumer_waits_for_what_is_not_told_any_more():
    assert all(is_told(event_class) for consumer in CONSUMERS.values() for event_class in consumer.events)


def test_no_service_listens_twice_to_an_event():
    pairs = [(c.service, event_class.name()) for c in CONSUMERS.values() for event_class in c.arriving]
    assert len(pairs) == len(set(pairs))


def test_every_holder_of_data_answers_to_erasures():
    # retention keeps the erasures themselves; the gateway stores nothing.
    assert set(erasing_services()) == SERVICES - {"retention"}
    assert producers_of(ErasureTaskDoneV1) == erasing_services()
    assert listeners_of(ErasureTaskDoneV1) == ("retention",)
    assert {consumer.stream for consumer in consumers_of("auth")} == {"RETENTION"}


def test_an_unknown_event_has_a_clear_error():
    with pytest.raises(UnknownEvent, match=r"post\.unheard_of\.v1"):
        class_for("post.unheard_of.v1")


def test_a_registration_that_contradicts_itself_is_refused():
    class Nameless(Event):
        model_config = ConfigDict(frozen=True)

    with pytest.raises(TypeError, match="has no field post_id, workspace_id"):
        event("post.lost", 1, owner="content", aggregate="post_id")(Nameless)
    with pytest.raises(TypeError, match="registered twice"):
        event("post.deleted", 1, owner="content", aggregate="post_id")(EVENTS["post.deleted.v1"])
    assert "post.lost.v1" not in EVENTS
