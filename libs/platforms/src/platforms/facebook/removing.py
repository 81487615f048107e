"""Taking a post off a Page again. Its comments, our first one too, go with it."""

from __future__ import annotations

from functools import partial

from platforms.meta.graph import Graph
from platforms.meta.removing import delete
from platforms.removal import remove_each
from platforms.shape import Call, NotThere, Receipt, Removed


class Removing:
    """Satisfies `platforms.composed.Removing`, for whatever our application posted to the Page."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        return await remove_each([str(receipt.post_id)], partial(delete, self._graph, call))
