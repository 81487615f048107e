"""Events whose handler failed wait here for their next attempt, and the later events of the same aggregate behind them.

A held event is claimed already and acknowledged to NATS: its attempts are counted here, where no shutdown uses one up,
and it holds nobody back but its own aggregate.
"""

from __future__ import annotations

TABLE = """
CREATE TABLE held_event (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    aggregate uuid NOT NULL,
    key uuid NOT NULL,
    position bigint NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    attempts smallint NOT NULL,
    next_at timestamptz NOT NULL,
    held_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
)
"""
INDEX = "CREATE INDEX held_event_order ON held_event (consumer, aggregate, position)"
