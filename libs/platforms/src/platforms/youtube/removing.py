"""Taking a video off YouTube again. Its comments, our first one too, and its place in playlists go with it."""

from __future__ import annotations

from functools import partial

from platforms.errors import Rejected
from platforms.removal import remove_each
from platforms.shape import Call, NotThere, Receipt, Removed
from platforms.youtube.api import YouTubeApi
from platforms.youtube.errors import VIDEO_GONE


class Removing:
    """Satisfies `platforms.composed.Removing`. A removal costs the application 50 of its 10,000 units a day."""

    def __init__(self, api: YouTubeApi) -> None:
        self._api = api

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        return await remove_each([str(receipt.post_id)], partial(self._remove, call))

    async def _remove(self, call: Call, video_id: str) -> bool:
        try:
            await self._api.delete(call, "videos", {"id": video_id})
        except Rejected as error:
            if error.code == VIDEO_GONE:
                return False
            raise
        return True
