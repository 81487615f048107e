"""Taking a post off LinkedIn again. Its comments, our first one too, go with it."""

from __future__ import annotations

from functools import partial

from platforms.errors import Rejected
from platforms.linkedin.api import LinkedInApi, encoded
from platforms.linkedin.errors import GONE
from platforms.removal import remove_each
from platforms.shape import Call, NotThere, Receipt, Removed


class Removing:
    """Satisfies `platforms.composed.Removing`, for members as for organisations."""

    def __init__(self, api: LinkedInApi) -> None:
        self._api = api

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        return await remove_each([str(receipt.post_id)], partial(self._remove, call))

    async def _remove(self, call: Call, urn: str) -> bool:
        """LinkedIn confirms a removal however often it is asked for, so it mostly does not tell a second one apart."""
        try:
            await self._api.delete(call, f"posts/{encoded(urn)}")
        except Rejected as error:
            if error.code in GONE:
                return False
            raise
        return True
