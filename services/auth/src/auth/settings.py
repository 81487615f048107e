"""What auth is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kit.settings import Environment, ServiceSettings
from platforms.environment import OfferedPlatforms


@dataclass(frozen=True)
class Settings:
    """`vault_key_file`: VAULT_KEY_FILE, the key-encryption key of the vault, 32 bytes in base64."""

    base: ServiceSettings
    vault_key_file: Path
    offered: OfferedPlatforms

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(
            base=ServiceSettings.read(environment, "auth"),
            vault_key_file=environment.file("VAULT_KEY_FILE"),
            offered=OfferedPlatforms.read(environment),
        )
