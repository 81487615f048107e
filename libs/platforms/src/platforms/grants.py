"""A grant as bytes, for the moment before it is encrypted and the moment after it is opened. Nowhere else."""

from __future__ import annotations

import json
from datetime import datetime

from kit.secret import Secret

from platforms.shape import Grant


def dump(grant: Grant, *, with_refresh: bool) -> bytes:
    """The grant as JSON. A borrower never needs the refresh token, so a lease leaves it out."""
    refresh = grant.refresh_token if with_refresh else None
    return json.dumps(
        {
            "account_id": grant.account_id,
            "access_token": grant.access_token.reveal(),
            "refresh_token": refresh.reveal() if refresh else None,
            "scopes": list(grant.scopes),
            "expires_at": grant.expires_at.isoformat(),
            "refresh_expires_at": grant.refresh_expires_at.isoformat() if grant.refresh_expires_at else None,
            "extra": {name: value.reveal() for name, value in grant.extra.items()},
        }
    ).encode()


def load(data: bytes) -> Grant:
    """The inverse of `dump`."""
    document = json.loads(data)
    refresh, until = document["refresh_token"], document["refresh_expires_at"]
    return Grant(
        account_id=document["account_id"],
        access_token=Secret(document["access_token"]),
        refresh_token=Secret(refresh) if refresh else None,
        scopes=tuple(document["scopes"]),
        expires_at=datetime.fromisoformat(document["expires_at"]),
        refresh_expires_at=datetime.fromisoformat(until) if until else None,
        extra={name: Secret(value) for name, value in document["extra"].items()},
    )
