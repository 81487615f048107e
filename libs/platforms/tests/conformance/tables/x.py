"""Where X does otherwise than it publishes."""

from __future__ import annotations

from libs.platforms.tests.conformance.table import Difference

DIFFERENCES: tuple[Difference, ...] = ()
