"""Taking records off Bluesky again: the posts of a thread, and who may reply to and quote them."""

from __future__ import annotations

from functools import partial

from platforms.bluesky.errors import xrpc_error
from platforms.bluesky.posts import POST
from platforms.bluesky.servers import Servers
from platforms.bluesky.xrpc import Repository
from platforms.removal import remove_each
from platforms.shape import Call, NotThere, Receipt, Removed


class Removing:
    """Satisfies `platforms.composed.Removing`."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def remove(self, call: Call, receipt: Receipt) -> Removed | NotThere:
        """The last record first. One at a time, because several at once fail together if one of them is gone."""
        records = receipt.evidence.get("records")
        # Receipts from before records were named in them know the first post only.
        named = records if isinstance(records, list) else [f"{POST}/{str(receipt.post_id).rpartition('/')[2]}"]
        return await remove_each([*reversed(named)], partial(self._remove, call))

    async def _remove(self, call: Call, record: str) -> bool:
        """A server takes it as done that there is no such record; only a removal is a commit."""
        collection, _, rkey = record.partition("/")
        body = {"repo": call.grant.account_id, "collection": collection, "rkey": rkey}
        answer = await Repository(call, self._servers).post("com.atproto.repo.deleteRecord", body)
        if answer.status != 200:
            raise xrpc_error(answer, now=call.clock.now())
        return "commit" in answer.json()
