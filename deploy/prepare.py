"""Makes what an installation must keep secret, once: `python deploy/prepare.py <folder>`. Safe to repeat.

    <service>/signing.pem sealing.pem nats.nkey   one folder a service, the files of its Secret
    auth/vault.key                                what wraps the key of every stored token; lost, they are lost
    operator/operator.nkey                        who may change streams and read dead letters
    trusted/trusted.jwks.json                     every public key; not secret, but nobody else may change it
    nats-users.conf                               for the NATS server: who may say and hear what

A new service or a changed topology needs the last two again; keys that exist are kept.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from pathlib import Path

from contracts.topology import STREAMS
from kit import identities, keys

EDGE = "gateway"
"""Has no database and no place on the bus."""

SERVICES = (*sorted({stream.owner for stream in STREAMS.values()}), EDGE)
VAULT_KEY_BYTES = 32
"""AES-256."""

USERS = (*(service for service in SERVICES if service != EDGE), identities.OPERATOR)


def prepare(folder: Path) -> None:
    made = folder / ".made"
    keys.generate_keys(made, SERVICES)
    identities.generate_seeds(made, USERS)
    for service in SERVICES:
        for kind in ("signing", "sealing"):
            _place(made / f"{service}.{kind}.pem", folder / service / f"{kind}.pem")
    for user in USERS:
        name = "operator.nkey" if user == identities.OPERATOR else "nats.nkey"
        _place(identities.seed_file(made, user), folder / user / name)
    vault = folder / "auth" / "vault.key"
    if not vault.exists():
        keys.write_private(vault, base64.b64encode(os.urandom(VAULT_KEY_BYTES)) + b"\n")
    _place(made / "trusted.jwks.json", folder / "trusted" / "trusted.jwks.json")
    (folder / "nats-users.conf").write_text(nats_users(made))


def nats_users(seeds: Path) -> str:
    """The authorisation block of the NATS server; JSON is within its syntax."""
    users = []
    for user in USERS:
        permissions = identities.permissions_of(user)
        users.append(
            {
                "nkey": identities.public_key(identities.seed_file(seeds, user)),
                "permissions": {
                    "publish": {"allow": list(permissions.publish)},
                    "subscribe": {"allow": list(permissions.subscribe)},
                },
            }
        )
    return f"authorization: {json.dumps({'users': users}, indent=2)}\n"


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(source, target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python deploy/prepare.py <folder>")
    prepare(Path(sys.argv[1]))
