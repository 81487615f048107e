"""What tests of every part share: real servers, fresh databases, and waiting for facts.

`kit.testing.plugin` holds the fixtures; the conftest at the root of the repository registers it.
"""

from __future__ import annotations

from kit.testing.waiting import wait_for

__all__ = ["wait_for"]
