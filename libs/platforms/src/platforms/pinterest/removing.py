"""Taking a pin off Pinterest again. What others saved of it to their own boards stays theirs."""

from __future__ import annotations

from functools import partial

from platforms.errors import Rejected
from platforms.pinterest.api import PinterestApi
from platforms.removal import remove_each
from platforms.shape import Call, NotThere, Receipt, Removed


class Removing:
    """Satisfies `platforms.composed.Removing`."""

    def __init__(self, api: PinterestApi) -> None:
        self._api = api

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        return await remove_each([str(receipt.post_id)], partial(self._remove, call))

    async def _remove(self, call: Call, pin_id: str) -> bool:
        try:
            await self._api.delete(call, f"/pins/{pin_id}")
        except Rejected as error:
            if error.code.startswith("404"):
                return False
            raise
        return True
