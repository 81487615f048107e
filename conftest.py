"""What every test of the repository may use."""

from __future__ import annotations

pytest_plugins = ["kit.testing.plugin", "kit.testing.services"]
