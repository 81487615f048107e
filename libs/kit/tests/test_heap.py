"""What a process keeps for good is never looked through again; what it makes and drops later is still collected."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from kit import heap


class Ring:
    """Garbage that only the collector finds: it refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Leaves the collector of the test's process as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def dropped_ring() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def test_what_is_there_is_not_looked_through_again():
    kept = Ring()
    assert any(each is kept for each in gc.get_objects())
    heap.settle()
    assert not any(each is kept for each in gc.get_objects())


def test_garbage_of_the_start_is_not_kept_for_good():
    gc.disable()
    try:
        ring = dropped_ring()
        assert ring() is not None
        heap.settle()
    finally:
        gc.enable()
    assert ring() is None


def test_what_is_made_and_dropped_later_is_collected_without_being_asked_for():
    heap.settle()
    ring = dropped_ring()
    kept: list[list[int]] = [[] for _ in range(2 * heap.COLLECT_AFTER)]
    assert ring() is None
    assert len(kept) == 2 * heap.COLLECT_AFTER


def test_a_request_brings_no_collection_about():
    heap.settle()
    looks: list[str] = []
    note = lambda phase, info: looks.append(phase)  # noqa: E731
    gc.callbacks.append(note)
    try:
        kept: list[list[int]] = [[] for _ in range(heap.COLLECT_AFTER // 2)]
    finally:
        gc.callbacks.remove(note)
    assert kept
    assert not looks
