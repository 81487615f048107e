"""What handlers take, as Litestar wants to be told where it comes from."""

from __future__ import annotations

from uuid import UUID

from kit.passport import Caller
from litestar.di import NamedDependency
from litestar.params import FromPath

Id = FromPath[UUID]
"""An id in the path."""

Known = NamedDependency[Caller]
"""The caller that the passport vouches for."""
