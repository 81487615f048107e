"""What an installation owns besides its data: keys, passwords, a clock. Made once, then only ever read.

`signoff up` opens it in the data folder before any server starts. A key that is missing later is not made anew:
what it protected would be lost in silence.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from kit.clock import MovableClock
from kit.embedded.data_directory import DataDirectory, write_private_file
from kit.embedded.errors import EmbeddedError
from kit.identities import OPERATOR, generate_seeds, seed_file
from kit.key_files import generate_keys
from kit.secret import Secret

DATABASES = ("auth", "content", "scheduler", "publisher", "metrics", "retention")
"""The services that keep something, in the order in which they start."""

STORES = ("auth", "auth_keys", *DATABASES[1:])
"""The databases: one a service, and auth's second one, where the keys lie that open stored tokens."""

SERVICES = (*DATABASES, "gateway")

INVENTORY = "INSTALLED"
"""Names every secret file that was made, a line each. It is written last: without it nothing was stored yet."""

SECRET_BYTES = 32
"""AES-256 for the vault, the block of an HMAC for API keys."""


@dataclass(frozen=True)
class RolePasswords:
    """Of one database: who serves requests, and who migrates."""

    login: Secret
    owner: Secret


class Installation:
    """The files of one installation, all of them closed to other users."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys = path / "keys"
        self.clock_file = path / "clock-offset"
        self.mail = path / "mail"
        self.vault_key = self.keys / "vault.key"
        self.api_key_pepper = self.keys / "api-key.pepper"
        self.trusted_keys = self.keys / "trusted.jwks.json"
        self._passwords_file = self.keys / "database-passwords.json"

    @classmethod
    def open(cls, directory: DataDirectory) -> Installation:
        """The installation in a folder that is ours; a new folder gets its keys. Raises `EmbeddedError`."""
        installation = cls(directory.path)
        for name in ("keys", "logs", "mail", "objects", "backups"):
            directory.folder(name)
        installation._refuse_gaps()
        installation._make_missing()
        return installation

    def signing_key(self, service: str) -> Path:
        return self.keys / f"{service}.signing.pem"

    def sealing_key(self, service: str) -> Path:
        return self.keys / f"{service}.sealing.pem"

    def bus_seed(self, user: str) -> Path:
        """The NKey seed that a service (or the operator) shows to NATS."""
        return seed_file(self.keys, user)

    @property
    def clock(self) -> MovableClock:
        """The clock of every service of this installation."""
        return MovableClock(self.clock_file)

    @cached_property
    def passwords(self) -> Mapping[str, RolePasswords]:
        return {
            store: RolePasswords(Secret(roles["login"]), Secret(roles["owner"]))
            for store, roles in self._stored_passwords().items()
        }

    def _stored_passwords(self) -> dict[str, dict[str, str]]:
        if not self._passwords_file.exists():
            return {}
        stored: dict[str, dict[str, str]] = json.loads(self._passwords_file.read_text())
        return stored

    def _secret_files(self) -> list[Path]:
        own = [path for service in SERVICES for path in (self.signing_key(service), self.sealing_key(service))]
        seeds = [self.bus_seed(user) for user in (*DATABASES, OPERATOR)]
        return [*own, *seeds, self.vault_key, self.api_key_pepper, self._passwords_file]

    def _refuse_gaps(self) -> None:
        inventory = self.path / INVENTORY
        if not inventory.exists():
            return
        for name in inventory.read_text().splitlines():
            if not (self.path / name).is_file():
                raise EmbeddedError(
                    f"{self.path / name} is missing, and what it protects cannot be read without it: "
                    "put it back from a backup, or name a new folder for the data"
                )

    def _make_missing(self) -> None:
        self.clock.advance(timedelta())  # from now on every process has the offset in its memory
        generate_keys(self.keys, SERVICES)
        generate_seeds(self.keys, (*DATABASES, OPERATOR))
        for file in (self.vault_key, self.api_key_pepper):
            if not file.exists():
                write_private_file(file, base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())
        passwords = self._stored_passwords()
        # An installation of an earlier release gets those of the databases that came since.
        missing = [store for store in STORES if store not in passwords]
        if missing:
            passwords |= {store: {role: secrets.token_urlsafe(32) for role in ("login", "owner")} for store in missing}
            write_private_file(self._passwords_file, json.dumps(passwords, indent=1) + "\n")
        inventory = "".join(f"{path.relative_to(self.path)}\n" for path in self._secret_files())
        if not (self.path / INVENTORY).exists() or (self.path / INVENTORY).read_text() != inventory:
            # The list must never reach the disk before what it lists.
            os.sync()
            write_private_file(self.path / INVENTORY, inventory)
