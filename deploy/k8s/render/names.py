"""What every object is called and labelled."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, as plain data."""

VERSION = "0.1.0"
"""The tag of the images; an overlay replaces it."""

PORT = 8000

PART_OF = {"app.kubernetes.io/part-of": "signoff"}

USES_DATA = {"signoff/data": "true"}
"""On pods that talk to PostgreSQL and NATS."""

USES_OUTSIDE = {"signoff/outside": "true"}
"""On pods that call platforms or the object store over the internet."""


def own(name: str) -> dict[str, str]:
    """The label by which one service's pods are found."""
    return {"app.kubernetes.io/name": name}


def metadata(name: str) -> Object:
    return {"name": name, "labels": own(name) | PART_OF}
