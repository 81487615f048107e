"""Bluesky's tests: every call is held against the lexicons."""

from __future__ import annotations

from libs.platforms.tests.conformance import checked

http, recorder = checked("bluesky")
