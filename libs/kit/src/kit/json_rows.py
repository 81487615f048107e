"""Many rows as one parameter of a statement: a JSON document for PostgreSQL's `json_to_recordset`.

In arrays psycopg writes every element of every column by itself, which costs several times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def json_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Ids, moments, numbers, words and documents by their columns' names; what PostgreSQL is to cast them to is said
    in the statement."""
    return _ENCODER.encode(rows).decode()
