"""Lists that come in pages, with cursors, and an address of the next page as long as there is one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

LIMIT_DEFAULT = 25
LIMIT_MAX = 100


def paged(
    items: Sequence[Any], parameters: Mapping[str, str], *, address: str, token: str, limit_max: int = LIMIT_MAX
) -> dict[str, Any]:
    """One page. The address of the next one holds the token, as Meta's does."""
    start = _position(parameters.get("after", ""))
    asked = parameters.get("limit", "")
    limit = min(int(asked), limit_max) if asked.isdigit() and int(asked) > 0 else LIMIT_DEFAULT
    data = list(items[start : start + limit])
    if not data:
        return {"data": []}
    cursors = {"before": _cursor(start), "after": _cursor(start + len(data))}
    paging: dict[str, Any] = {"cursors": cursors}
    if start + len(data) < len(items):
        query = urlencode({"access_token": token, "limit": limit, "after": cursors["after"]})
        paging["next"] = f"{address}?{query}"
    return {"data": data, "paging": paging}


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        return 0
    number = text.removeprefix("at:")
    return int(number) if number.isdigit() else 0
