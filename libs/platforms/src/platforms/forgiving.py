"""A person's word that a post is not there, which ends a doubt that no look could.

Staging comes first after such a word, so that is where a platform hears it: what it can prove by then stays out, what
nobody knows is dropped from the journal, and the next visible step is made anew. Each word is heard once: what goes
unanswered after it is a new doubt.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from platforms.shape import Delivery, Journal

WORKING_MAX = timedelta(hours=1)
"""A platform that says it is at work on a post is believed so long, whatever a person sees by then."""


def is_unheard(delivery: Delivery, journal: Journal) -> bool:
    """True if a person has spoken since the last word that was heard."""
    return delivery.forgiven > (journal.facts.get("forgiven") or 0)


async def hear(delivery: Delivery, journal: Journal, **dropped: Any) -> None:
    """Note the word together with what it does to the facts, so that neither is there without the other."""
    await journal.record(forgiven=delivery.forgiven, **dropped)
