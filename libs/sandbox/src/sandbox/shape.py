"""What the sandbox needs of each platform it imitates. A new platform is one folder and one line in `server`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from kit.clock import Clock
from litestar import Litestar

from sandbox.faults import FaultPlan
from sandbox.truth import Truth
from sandbox.tuning import Tuning


class ImitatedPlatform(Protocol):
    """One platform's state and its application."""

    name: ClassVar[str]

    def __init__(self, *, base_url: str, clock: Clock, truth: Truth, tuning: Tuning) -> None: ...

    @property
    def faults(self) -> FaultPlan: ...

    def create_app(self) -> Litestar: ...

    def register_client(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add or change an application's credentials; returns them with what was filled in."""

    def register_account(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add or change an account; returns it with what was filled in."""

    def expire_access_tokens(self) -> None: ...

    def plan_outcome(self, details: Mapping[str, Any]) -> None:
        """Decide how the next post ends, in the platform's own words."""

    async def stop(self) -> None: ...
