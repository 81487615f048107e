"""`wait_for` gives back the fact, or says what it saw last."""

from __future__ import annotations

import pytest
from kit.testing import wait_for


async def test_it_returns_the_first_true_value_of_a_plain_or_an_asynchronous_predicate() -> None:
    answers = iter(["", "", "fact"])

    async def asked() -> str:
        return next(answers)

    assert await wait_for(asked) == "fact"
    assert await wait_for(lambda: 7) == 7


async def test_it_fails_with_the_last_value() -> None:
    with pytest.raises(AssertionError, match=r"waited 0.01 s for the rows; its last value was \[\]"):
        await wait_for(list, timeout_seconds=0.01, what="the rows")
