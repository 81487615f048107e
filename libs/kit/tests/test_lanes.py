"""Lanes keep an aggregate's order and let the others pass; batches keep every order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from kit.lanes import Batches, Lanes
from kit.pull import Delivery


def delivery(sequence: int, aggregate: str) -> Delivery:
    return Delivery(sequence, sequence, "", {"ce-subject": aggregate}, b"", "")


@given(st.lists(st.sampled_from("abc"), max_size=40), st.randoms(use_true_random=False), st.integers(1, 5))
def test_events_of_one_aggregate_are_never_taken_out_of_order_or_side_by_side(
    aggregates: list[str], chance: random.Random, workers: int
):
    lanes, working, taken = Lanes(), list[list[Delivery]](), list[Delivery]()
    coming = [delivery(sequence, aggregate) for sequence, aggregate in enumerate(aggregates)]
    while len(taken) < len(aggregates) or working:
        if coming and chance.random() < 0.5:
            lanes.add(coming.pop(0))
        if len(working) < workers and (group := lanes.take()):
            in_work = {one.headers["ce-subject"] for others in working for one in others}
            assert group[0].headers["ce-subject"] not in in_work
            working.append(group)
            taken += group
        if working and chance.random() < 0.5:
            lanes.finish(working.pop(chance.randrange(len(working))))
    for aggregate in "abc":
        order = [one.sequence for one in taken if one.headers["ce-subject"] == aggregate]
        assert order == sorted(order)
    assert sorted(one.sequence for one in taken) == list(range(len(aggregates)))
    assert lanes.take() == []


def test_an_aggregate_in_work_does_not_hold_back_another():
    lanes = Lanes()
    for sequence, aggregate in enumerate("aab"):
        lanes.add(delivery(sequence, aggregate))
    assert [one.sequence for one in lanes.take() + lanes.take()] == [0, 2]
    assert lanes.take() == []
    lanes.finish([delivery(0, "a")])
    assert [one.sequence for one in lanes.take()] == [1]


def test_batches_are_as_full_as_the_backlog_allows():
    batches = Batches(2)
    for sequence in range(3):
        batches.add(delivery(sequence, "a"))
    sizes = [[one.sequence for one in batches.take()] for _ in range(3)]
    assert sizes == [[0, 1], [2], []]
