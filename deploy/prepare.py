"""Makes what an installation must keep secret, once: `python deploy/prepare.py <folder>`. Safe to repeat.

`--roll <user>` gives one user of the bus a new key beside its old one, `--retire <user>` takes the old one away.
`--announce`, `--switch` and `--finish <service>` replace what a service signs with and receives by; deploy/README.md
says when. `--distrust <kid>` takes a public key out.

    <service>/signing.pem sealing.pem nats.nkey   one folder a service, the files of its Secret
    auth/vault.key                                what wraps the key of every stored token; lost, they are lost
    auth/api-key.pepper                           what API keys are hashed with; lost, they must be made anew
    operator/operator.nkey                        who may change streams and read dead letters
    trusted/trusted.jwks.json                     every public key; not secret, but nobody else may change it
    nats-users.conf                               for the NATS server: who may say and hear what

A new service or a changed topology needs the last two again; keys that exist are kept.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.topology import STREAMS
from kit import identities, key_files, keys
from kit.clock import SystemClock
from kit.settings import SettingError

EDGE = "gateway"
"""Has no database and no place on the bus."""

SERVICES = (*sorted({stream.owner for stream in STREAMS.values()}), EDGE)
SECRET_BYTES = 32
"""AES-256 for the vault, the block of an HMAC for API keys."""

USERS = (*(service for service in SERVICES if service != EDGE), identities.OPERATOR)


def prepare(folder: Path) -> None:
    made = _made(folder)
    key_files.generate_keys(made, SERVICES)
    identities.generate_seeds(made, USERS)
    for service in SERVICES:
        for kind in ("signing", "sealing"):
            _place(made / f"{service}.{kind}.pem", folder / service / f"{kind}.pem")
    for user in USERS:
        name = "operator.nkey" if user == identities.OPERATOR else "nats.nkey"
        _place(identities.seed_file(made, user), folder / user / name)
    for name in ("vault.key", "api-key.pepper"):
        if not (folder / "auth" / name).exists():
            keys.write_private(folder / "auth" / name, base64.b64encode(os.urandom(SECRET_BYTES)) + b"\n")
    _place(made / "trusted.jwks.json", folder / "trusted" / "trusted.jwks.json")
    (folder / "nats-users.conf").write_text(nats_users(made))


def roll(folder: Path, user: str) -> None:
    """Make a second key for a user: NATS takes both, until the old one is retired."""
    present, old = identities.seed_file(_made(folder), user), _old_seed(_made(folder), user)
    if not present.exists():
        sys.exit(f"{user} has no key in {folder}")
    if old.exists():
        sys.exit(f"{user} is being rolled already: --retire {user} first, once every process has its new key")
    present.rename(old)
    prepare(folder)


def retire(folder: Path, user: str) -> None:
    """Take the old key of a user away."""
    if not _old_seed(_made(folder), user).exists():
        sys.exit(f"{user} has no old key")
    _old_seed(_made(folder), user).unlink()
    prepare(folder)


def replace(folder: Path, chosen: argparse.Namespace) -> None:
    """One step of replacing a service's own keys."""
    made, now = _made(folder), SystemClock().now()
    if chosen.announce:
        key_files.announce(made, chosen.announce)
    elif chosen.switch:
        key_files.switch(made, chosen.switch, now=now)
    elif chosen.finish:
        key_files.finish(made, chosen.finish, now=now)
    else:
        key_files.distrust(made, chosen.distrust)
    prepare(folder)


def nats_users(seeds: Path) -> str:
    """The authorisation block of the NATS server; JSON is within its syntax. A user that is rolled has two keys."""
    users = []
    for user in USERS:
        permissions = identities.permissions_of(user)
        for seed in (identities.seed_file(seeds, user), _old_seed(seeds, user)):
            if seed.exists():
                users.append(
                    {
                        "nkey": identities.public_key(seed),
                        "permissions": {
                            "publish": {"allow": list(permissions.publish)},
                            "subscribe": {"allow": list(permissions.subscribe)},
                        },
                    }
                )
    return f"authorization: {json.dumps({'users': users}, indent=2)}\n"


def _made(folder: Path) -> Path:
    return folder / ".made"


def _old_seed(seeds: Path, user: str) -> Path:
    return seeds / f"{user}.old.nkey"


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(source, target)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--roll", choices=USERS, help="make a new key for this user of the bus, beside its old one")
    parser.add_argument("--retire", choices=USERS, help="take the old key of this user away")
    for step in ("announce", "switch", "finish"):
        parser.add_argument(f"--{step}", choices=SERVICES, help="this step of replacing the service's own keys")
    parser.add_argument("--distrust", metavar="KID", help="take a public key out: what it signed counts no more")
    chosen = parser.parse_args(arguments)
    if chosen.announce or chosen.switch or chosen.finish or chosen.distrust:
        try:
            replace(chosen.folder, chosen)
        except SettingError as problem:
            sys.exit(str(problem))
    elif chosen.roll:
        roll(chosen.folder, chosen.roll)
    elif chosen.retire:
        retire(chosen.folder, chosen.retire)
    else:
        prepare(chosen.folder)


if __name__ == "__main__":
    main(sys.argv[1:])
