"""Settings come from environment variables, are read once at start, and fail there in one clear line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from kit.secret import Secret


class SettingError(Exception):
    """A setting is missing or wrong. The message is one line that names it and says what it should be."""


class Stage(StrEnum):
    """Where the process runs. Production refuses what only development may have."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Environment:
    """Environment variables, read by name with a type and a clear complaint."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, default)
        if not value:
            raise SettingError(f"{name} is not set")
        return value

    def optional(self, name: str) -> str | None:
        return self._values.get(name) or None

    def secret(self, name: str) -> Secret:
        return Secret(self.text(name))

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        text = self._values.get(name) or str(default)
        try:
            value = int(text)
        except ValueError:
            raise SettingError(f"{name} is {text!r}, but must be a whole number") from None
        if not minimum <= value <= maximum:
            raise SettingError(f"{name} is {value}, but must be between {minimum} and {maximum}")
        return value

    def file(self, name: str) -> Path:
        """A file that exists and can be read."""
        path = Path(self.text(name))
        if not path.is_file():
            raise SettingError(f"{name} names {path}, but there is no such file")
        return path

    def prefixed(self, prefix: str) -> Mapping[str, str]:
        """Every variable that starts with `prefix`, by the rest of its name in lower case."""
        return {
            name.removeprefix(prefix).lower(): value for name, value in self._values.items() if name.startswith(prefix)
        }

    def choice(self, name: str, default: str, choices: type[StrEnum]) -> str:
        text = self._values.get(name) or default
        if text not in {choice.value for choice in choices}:
            allowed = ", ".join(choice.value for choice in choices)
            raise SettingError(f"{name} is {text!r}, but must be one of: {allowed}")
        return text


@dataclass(frozen=True)
class ServiceSettings:
    """What every service is told. The names in capitals are the environment variables.

    `database_url`: DATABASE_URL_<SERVICE>, the login role that serves requests (libpq URL).
    `nats_url`: NATS_URL, `nats_seed_file`: NATS_SEED_FILE_<SERVICE>, its NKey identity.
    `signing_key_file`: SIGNING_KEY_FILE_<SERVICE>, Ed25519 private key (PEM); the trusted public keys of all
    services are in `trusted_keys_file`: TRUSTED_KEYS_FILE (JWKS).
    `neighbours`: SERVICE_URL_<SERVICE>, where the other services are reached over HTTP.
    """

    stage: Stage
    database_url: Secret | None
    nats_url: str | None
    nats_seed_file: Path | None
    signing_key_file: Path
    sealing_key_file: Path | None
    trusted_keys_file: Path
    clock_file: Path | None
    otlp_endpoint: str | None
    database_connections_max: int
    neighbours: Mapping[str, str]

    @classmethod
    def read(cls, environment: Environment, service: str, *, has_database: bool = True) -> Self:
        suffix = service.upper()
        stage = Stage(environment.choice("SIGNOFF_STAGE", Stage.PRODUCTION.value, Stage))
        clock_file = environment.optional("CLOCK_FILE")
        if clock_file and stage is Stage.PRODUCTION:
            raise SettingError("CLOCK_FILE is set, but a production system has no movable clock")
        seed_file = environment.optional(f"NATS_SEED_FILE_{suffix}")
        sealing = environment.optional(f"SEALING_KEY_FILE_{suffix}")
        return cls(
            stage=stage,
            database_url=environment.secret(f"DATABASE_URL_{suffix}") if has_database else None,
            nats_url=environment.text("NATS_URL") if has_database else None,
            nats_seed_file=environment.file(f"NATS_SEED_FILE_{suffix}") if seed_file and has_database else None,
            signing_key_file=environment.file(f"SIGNING_KEY_FILE_{suffix}"),
            sealing_key_file=environment.file(f"SEALING_KEY_FILE_{suffix}") if sealing else None,
            trusted_keys_file=environment.file("TRUSTED_KEYS_FILE"),
            clock_file=Path(clock_file) if clock_file else None,
            otlp_endpoint=environment.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
            # Every handler in flight and every request holds one connection; an idle one costs 3 MB.
            database_connections_max=environment.integer("DATABASE_CONNECTIONS_MAX", 10, minimum=2, maximum=200),
            neighbours=environment.prefixed("SERVICE_URL_"),
        )
