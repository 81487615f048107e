"""Settings come from environment variables, are read once at start, and fail there in one clear line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

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

    def duration(self, name: str, default: timedelta, *, minimum: timedelta, maximum: timedelta) -> timedelta:
        """A length of time, written as `read_duration` takes it."""
        text = self._values.get(name)
        if not text:
            return default
        try:
            value = read_duration(text)
        except SettingError as error:
            raise SettingError(f"{name}: {error}") from None
        if not minimum <= value <= maximum:
            raise SettingError(f"{name} is {text}, but must be between {_short(minimum)} and {_short(maximum)}")
        return value

    def share(self, name: str, default: float) -> float:
        """A part of the whole: 0 is none of it, 1 all."""
        text = self._values.get(name) or str(default)
        if not re.fullmatch(r"0(\.\d{1,9})?|1(\.0{1,9})?", text):
            raise SettingError(f"{name} is {text!r}, but must be a number from 0 to 1")
        return float(text)

    def web_address(self, name: str) -> str | None:
        """An http or https address, if one is set. It is printed with the settings, so it holds no credentials."""
        text = self.optional(name)
        if text and (not re.match(r"https?://[^/]", text) or "@" in text):
            raise SettingError(f"{name} must be an http or https address without a user or password")
        return text

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

    @property
    def stage(self) -> Stage:
        """SIGNOFF_STAGE; production if nothing is said."""
        return Stage(self.choice("SIGNOFF_STAGE", Stage.PRODUCTION.value, Stage))


_UNITS_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

DURATION_MAX = timedelta(days=3650)
"""Longer than every retention period. Added to a time it still gives one."""


def read_duration(text: str) -> timedelta:
    """30d, 12h, 90m, 45s, or several of them: 1d12h."""
    parts = re.findall(r"(\d{1,9})([dhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise SettingError(f"{text!r} is no duration: write it as 30d, 12h, 90m or 45s")
    seconds = sum(int(number) * _UNITS_SECONDS[unit] for number, unit in parts)
    if seconds > DURATION_MAX.total_seconds():
        raise SettingError(f"{text} is too long: at most {DURATION_MAX.days}d")
    return timedelta(seconds=seconds)


def _short(duration: timedelta) -> str:
    """A length of time in the greatest unit that divides it."""
    seconds = int(duration.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS_SECONDS.items() if seconds % size == 0)
    return f"{seconds // size}{unit}"


class PlainText(StrEnum):
    """Whether a production system may talk to NATS unencrypted: where the network itself encrypts, as a mesh does."""

    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class BusSettings:
    """Where NATS is and who we are there. The names in capitals are the environment variables.

    `url`: NATS_URL, one server or several of one cluster, separated by commas, with no user or password in it.
    `seed_file`: NATS_SEED_FILE_<USER>, the NKey identity. `ca_file`: NATS_CA_FILE, who signs the server's certificate
    (PEM; the machine's own authorities if left out). `certificate_file` and `key_file`: NATS_CERTIFICATE_FILE and
    NATS_KEY_FILE, where the server asks for a certificate too.
    """

    url: str
    seed_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        try:
            parts = [urlsplit(url) for url in self.urls]
            understood = parts and all(
                part.scheme in ("nats", "tls") and part.hostname and part.port != 0 and part.path in ("", "/")
                for part in parts
            )
        except ValueError:
            understood = False
        if not understood:
            raise SettingError("NATS_URL must be nats://host:port or tls://host:port, or several separated by commas")
        if len({part.scheme for part in parts}) > 1:
            raise SettingError("NATS_URL mixes nats:// and tls://: every server of a cluster is reached the same way")
        if any("@" in part.netloc for part in parts):
            raise SettingError("NATS_URL holds a user or password: identities are keys, in NATS_SEED_FILE_<SERVICE>")
        if (self.certificate_file is None) != (self.key_file is None):
            raise SettingError("NATS_CERTIFICATE_FILE and NATS_KEY_FILE belong together: set both or neither")

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(url.strip() for url in self.url.split(",") if url.strip())

    @property
    def encrypted(self) -> bool:
        """Whether the connection must be encrypted. An authority that is named is meant to be asked."""
        return self.ca_file is not None or self.urls[0].startswith("tls:")

    @classmethod
    def read(cls, environment: Environment, user: str) -> Self:
        """The settings of one user of the bus: a service, or the operator. Raises `SettingError`."""

        def file(name: str) -> Path | None:
            return environment.file(name) if environment.optional(name) else None

        settings = cls(
            url=environment.text("NATS_URL"),
            seed_file=file(f"NATS_SEED_FILE_{user.upper()}"),
            ca_file=file("NATS_CA_FILE"),
            certificate_file=file("NATS_CERTIFICATE_FILE"),
            key_file=file("NATS_KEY_FILE"),
        )
        plain_text = environment.choice("NATS_PLAIN_TEXT", PlainText.REFUSED.value, PlainText)
        if not settings.encrypted and environment.stage is Stage.PRODUCTION and plain_text != PlainText.ALLOWED:
            raise SettingError(
                "NATS_URL is not encrypted: name it tls://…, or set NATS_PLAIN_TEXT=allowed where the network encrypts"
            )
        return settings


@dataclass(frozen=True)
class ServiceSettings:
    """What every service is told. The names in capitals are the environment variables.

    `database_url`: DATABASE_URL_<SERVICE>, the login role that serves requests (libpq URL).
    `bus`: where NATS is, and the service's identity there.
    `signing_key_file`: SIGNING_KEY_FILE_<SERVICE>, Ed25519 private key (PEM); the trusted public keys of all
    services are in `trusted_keys_file`: TRUSTED_KEYS_FILE (JWKS).
    `neighbours`: SERVICE_URL_<SERVICE>, where the other services are reached over HTTP.
    `otlp_endpoint`: OTEL_EXPORTER_OTLP_ENDPOINT, the collector's base address; without one no span is recorded.
    `traces_share`: OTEL_TRACES_SAMPLER_ARG, how much of the traces that begin here is recorded, from 0 to 1.
    """

    stage: Stage
    database_url: Secret | None
    bus: BusSettings | None
    signing_key_file: Path
    sealing_key_file: Path | None
    trusted_keys_file: Path
    clock_file: Path | None
    otlp_endpoint: str | None
    traces_share: float
    database_connections_max: int
    neighbours: Mapping[str, str]

    @classmethod
    def read(cls, environment: Environment, service: str, *, has_database: bool = True) -> Self:
        suffix = service.upper()
        stage = environment.stage
        clock_file = environment.optional("CLOCK_FILE")
        if clock_file and stage is Stage.PRODUCTION:
            raise SettingError("CLOCK_FILE is set, but a production system has no movable clock")
        sealing = environment.optional(f"SEALING_KEY_FILE_{suffix}")
        return cls(
            stage=stage,
            database_url=environment.secret(f"DATABASE_URL_{suffix}") if has_database else None,
            bus=BusSettings.read(environment, service) if has_database else None,
            signing_key_file=environment.file(f"SIGNING_KEY_FILE_{suffix}"),
            sealing_key_file=environment.file(f"SEALING_KEY_FILE_{suffix}") if sealing else None,
            trusted_keys_file=environment.file("TRUSTED_KEYS_FILE"),
            clock_file=Path(clock_file) if clock_file else None,
            otlp_endpoint=environment.web_address("OTEL_EXPORTER_OTLP_ENDPOINT"),
            traces_share=environment.share("OTEL_TRACES_SAMPLER_ARG", 1.0),
            # Every handler in flight and every request holds one connection; an idle one costs 3 MB.
            database_connections_max=environment.integer("DATABASE_CONNECTIONS_MAX", 10, minimum=2, maximum=200),
            neighbours=environment.prefixed("SERVICE_URL_"),
        )
