"""Taking posts off Threads again: one call for each post of the thread."""

from __future__ import annotations

from functools import partial

from platforms.errors import Rejected
from platforms.meta.removing import delete
from platforms.removal import parts_of, remove_each
from platforms.shape import Call, NotThere, Receipt, Removed
from platforms.threads.api import ThreadsApi
from platforms.threads.errors import GONE


class Removing:
    """Satisfies `platforms.composed.Removing`. An account may remove 100 posts in 24 hours."""

    def __init__(self, api: ThreadsApi) -> None:
        self._api = api

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        """The last post first. A reply whose id Threads never told is left, and said to be."""
        parts = parts_of(receipt)
        left_out = receipt.evidence.get("left_out")
        told = [part for part in parts if part]
        outcome = await remove_each(told, partial(delete, self._api, call, gone=GONE))
        if len(parts) - len(told) > (1 if left_out else 0):
            raise Rejected(
                "part_unknown",
                "a reply below the post has no known id, and is still there",
                advice="Remove the reply at Threads yourself.",
            )
        return outcome
