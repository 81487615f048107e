"""Which version of the Graph API is spoken. A call without one would get the application's oldest, so all name it."""

from __future__ import annotations

from datetime import date

GRAPH_VERSION = "v26.0"

GRAPH_SUNSET: date | None = None
"""Not announced. A version is answered for about two years after its release, which was on 29 July 2026."""
