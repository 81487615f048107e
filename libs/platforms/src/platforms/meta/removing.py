"""Deleting an object of a Graph API, and telling what is gone from what we may not touch."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from platforms.errors import PlatformError, ReauthorisationNeeded, Rejected
from platforms.meta.graph import Graph
from platforms.removal import PERMISSION_MISSING
from platforms.shape import Call

NOT_THERE = frozenset({"100.33"})
"""How Meta says that an object is not there, or not for us."""


_PERMISSIONS = frozenset({"10", *(str(code) for code in range(200, 300))})


async def delete(graph: Graph, call: Call, object_id: str, *, gone: Container[str] = NOT_THERE) -> bool:
    """True if it was there and is gone now. `gone` are the codes by which the product says that it is not there.

    Meta refuses in the same words what is gone and what we may not delete: what can still be read is refused. A
    permission that is missing for this alone says nothing against the grant, which publishing may go on with.
    """
    try:
        await graph.delete(call, object_id)
    except ReauthorisationNeeded as error:
        if error.code.partition(".")[0] not in _PERMISSIONS:
            raise
        advice = "Connect the account again and allow it, or remove the post there yourself."
        raise Rejected(PERMISSION_MISSING, "the person did not permit to remove posts", advice=advice) from None
    except PlatformError as error:
        if error.code not in gone:
            raise
        if await _can_be_read(graph, call, object_id, gone):
            advice = "Look at the account, and at what our application may do there."
            raise Rejected(error.code, "the post is there and may not be deleted", advice=advice) from None
        return False
    return True


async def _can_be_read(graph: Graph, call: Call, object_id: str, gone: Container[str]) -> bool:
    try:
        await graph.get(call, object_id, dict[str, Any], fields="id")
    except PlatformError as error:
        if error.code in gone:
            return False
        raise
    return True
