"""What tests of every part share: real servers, fresh databases, a fresh bus, and waiting for facts.

`kit.testing.plugin` and `kit.testing.services` hold the fixtures; the conftest at the root of the repository
registers them.
"""

from __future__ import annotations

from kit.testing.waiting import wait_for

__all__ = ["wait_for"]
