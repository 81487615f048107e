"""`signoff keys`: the keys that the services of an installation sign with and receive by, replaced while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from contracts.leases import LEASE_SECONDS
from kit import key_files
from kit.clock import MovableClock
from kit.keys import SigningKey, read_key_set
from kit.rereading import LOOK_SECONDS
from kit.settings import SettingError

from signoff.installation import SERVICES, Installation

KNOWN_SECONDS = 2 * LOOK_SECONDS
"""After this every process of the machine has read a changed file."""

Pause = Callable[[float], None]


def rotate(data: Path, services: Sequence[str], *, pause: Pause = time.sleep) -> int:
    """Give services, all of them if none is named, new keys."""
    installation, clock = _installed(data)
    unknown = sorted(set(services) - set(SERVICES))
    if unknown:
        raise SettingError(f"{unknown[0]} is no service: name some of {', '.join(SERVICES)}")
    chosen = list(services) or list(SERVICES)
    for service in chosen:
        key_files.announce(installation.keys, service)
    pause(KNOWN_SECONDS)
    for service in chosen:
        key_files.switch(installation.keys, service, now=clock.now())
        print(f"{service} signs with {_present(installation, service)}")
    # What was sealed with the old key is opened within the length of a lease.
    pause(KNOWN_SECONDS + LEASE_SECONDS)
    for service in chosen:
        key_files.finish(installation.keys, service, now=clock.now())
    return 0


def distrust(data: Path, kid: str) -> int:
    """Let nothing that a key signed count any more."""
    installation, _ = _installed(data)
    key_files.distrust(installation.keys, kid)
    print(f"{kid} counts for nothing any more")
    return 0


def show(data: Path) -> int:
    """Print every key that is trusted, and which of them are in use."""
    installation, _ = _installed(data)
    present = {_present(installation, service) for service in SERVICES}
    for kid, key in read_key_set(installation.trusted_keys, installation.trusted_keys.read_bytes()).signing.items():
        ends = key.expires_at and datetime.fromtimestamp(key.expires_at, UTC).isoformat(timespec="seconds")
        print(f"{kid}  {'in use' if kid in present else f'tokens until {ends}' if ends else 'next'}")
    return 0


def _present(installation: Installation, service: str) -> str:
    return SigningKey.load(service, installation.signing_key(service)).present.kid


def _installed(data: Path) -> tuple[Installation, MovableClock]:
    installation = Installation(data)
    if not installation.trusted_keys.is_file():
        raise SettingError(f"{data} holds no keys: name the folder of an installation with --data")
    return installation, installation.clock
