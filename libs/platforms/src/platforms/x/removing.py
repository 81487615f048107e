"""Taking posts off X again: one call for each post of the thread."""

from __future__ import annotations

from functools import partial

from platforms.errors import Rejected
from platforms.removal import parts_of, remove_each
from platforms.shape import Call, NotThere, Receipt, Removed
from platforms.x import answers
from platforms.x.api import XApi
from platforms.x.errors import NOT_THERE


class Removing:
    """Satisfies `platforms.composed.Removing`. X lets a program remove 50 posts of an account in fifteen minutes."""

    def __init__(self, api: XApi) -> None:
        self._api = api

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        """The last post first, so that what is left of a thread that breaks off still hangs together."""
        return await remove_each([part for part in parts_of(receipt) if part], partial(self._remove, call))

    async def _remove(self, call: Call, post_id: str) -> bool:
        """Of a post that is gone X says by turns that it is deleted, that it is not, and that there is none."""
        try:
            return (await self._api.delete(call, f"tweets/{post_id}", answers.Deleted)).deleted
        except Rejected as error:
            if error.code == NOT_THERE:
                return False
            raise
