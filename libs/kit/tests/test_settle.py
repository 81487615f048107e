"""Which errors are the event's and which are an outage; when an event is tried again."""

from __future__ import annotations

import nats.errors
import psycopg
import psycopg_pool
import pytest
from kit.settle import RetryPolicy, is_outage
from nats.js.errors import NoStreamResponseError


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.CannotConnectNow(),
        psycopg.errors.ConnectionFailure(),
        psycopg.errors.TooManyConnections(),
        psycopg.errors.DiskFull(),
        psycopg_pool.PoolTimeout(),
        nats.errors.TimeoutError(),
        nats.errors.ConnectionClosedError(),
        NoStreamResponseError(),
        ConnectionResetError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_away_is_waited_for(error: Exception):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.QueryCanceled(),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.SerializationFailure(),
        psycopg.errors.UniqueViolation(),
        psycopg.errors.InsufficientPrivilege(),
        RuntimeError(),
        KeyError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_handler_did_uses_up_an_attempt(error: Exception):
    assert not is_outage(error)


def test_delays_grow_are_spread_and_end():
    policy = RetryPolicy()
    assert policy.attempts_max >= 8
    for attempt, base in enumerate(policy.delays_seconds, 1):
        delays = [policy.delay_seconds(attempt) for _ in range(50)]
        assert all(base <= delay <= base * 1.2 for delay in delays)
        assert len(set(delays)) > 1
    assert list(policy.delays_seconds) == sorted(policy.delays_seconds)
