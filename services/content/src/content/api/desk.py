"""What the handlers of posts and reviews work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller
from platforms.platform import Platform
from platforms.shape import PlatformName

from content.api.shapes import PostAnswer
from content.domain.draft import Connection
from content.domain.problems import PostMissing
from content.ports import Connections, Sign, Store
from content.use_cases.read_posts import show_post


@dataclass(frozen=True)
class Desk:
    units: Units[Store]
    connections: Connections
    platforms: Mapping[PlatformName, Platform]
    sign: Sign
    clock: Clock

    def open_store(self, workspace_id: UUID, caller: Caller) -> AbstractAsyncContextManager[Store]:
        """A transaction that sees this workspace only."""
        return self.units(Scope.workspace(workspace_id, caller.account))

    async def open_connections(self, workspace_id: UUID, caller: Caller) -> Mapping[UUID, Connection]:
        """The workspace's connections, as far as the caller reaches."""
        known = await self.connections.of_workspace(workspace_id)
        return {connection_id: known[connection_id] for connection_id in known if caller.reaches(connection_id)}

    @asynccontextmanager
    async def open_post(self, workspace_id: UUID, post_id: UUID, caller: Caller) -> AsyncIterator[Store]:
        """As `open_store`, for one post: raises `PostMissing` if it was ever meant for a connection out of reach."""
        async with self.open_store(workspace_id, caller) as store:
            if not caller.reaches(*await store.connections_of(workspace_id, post_id)):
                raise PostMissing()
            yield store

    async def shown(self, workspace_id: UUID, post_id: UUID, store: Store) -> PostAnswer:
        """The post as it is in this transaction."""
        return PostAnswer.of_details(await show_post(workspace_id, post_id, platforms=self.platforms, store=store))
