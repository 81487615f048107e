"""Everything auth holds: what it is for, how long it stays, and how a subject is found in it.

In the order of erasing: what points at others first.
"""

from __future__ import annotations

from kit.erasure import DataMap

from auth.data_map import (
    api_keys,
    connections,
    letters,
    openid,
    people,
    revocations,
    second_factors,
    security,
    vault,
    workspaces,
)

KEYS_MAP = DataMap("auth_keys", tables=vault.KEY_TABLES)
"""The database of keys, which is emptied before the one of what they open."""

DATA_MAP = DataMap(
    "auth",
    tables=(
        *letters.TABLES,
        *security.TABLES,
        *second_factors.TABLES,
        *vault.TABLES,
        *revocations.TABLES,
        *connections.TABLES,
        *api_keys.TABLES,
        *workspaces.TABLES,
        *openid.TABLES,
        *people.TABLES,
    ),
)
