"""What the handlers of posts and reviews work with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from kit.clock import Clock
from kit.database import Scope, Units
from kit.passport import Caller
from platforms.platform import Platform
from platforms.shape import PlatformName

from content.api.shapes import PostAnswer
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

    async def shown(self, workspace_id: UUID, post_id: UUID, store: Store) -> PostAnswer:
        """The post as it is in this transaction."""
        return PostAnswer.of_details(await show_post(workspace_id, post_id, platforms=self.platforms, store=store))
