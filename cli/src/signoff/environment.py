"""What each service is told at its start: the same variables that a deployment would set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from kit.embedded import EmbeddedPostgres

from signoff.backing import Addresses
from signoff.installation import Installation

PASSED_ON = (
    "ATTEMPTS_",
    "BACKUP_",
    "DATABASE_CONNECTIONS_MAX",
    "KEY_REQUESTS_",
    "MAIL_FROM",
    "NATS_CA_FILE",
    "NATS_CERTIFICATE_FILE",
    "NATS_KEY_FILE",
    "NATS_SEED_FILE_",
    "OBJECT_STORE_URL",
    "OPERATOR_ADDRESS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_TRACES_SAMPLER_ARG",
    "PG_DUMP",
    "PLATFORM_",
    "PUBLIC_URL",
    "REAUTHORISATION_DAYS",
    "SIGN_UP",
    "SMTP_",
    "TRUSTED_PROXIES",
    "VAULT_",
    "WEB_URL",
)
"""What the person who starts the system may set for the services, by name or beginning."""


@dataclass(frozen=True)
class Surroundings:
    """One running system as its services see it. `service_urls` is empty where all live in one process."""

    installation: Installation
    addresses: Addresses
    public_url: str
    service_urls: Mapping[str, str] = field(default_factory=dict)
    platforms: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)

    def of(self, service: str) -> dict[str, str]:
        """The environment of one service: its own secrets and nobody else's."""
        suffix, installation = service.upper(), self.installation
        values = {
            "SIGNOFF_STAGE": "development",
            "PUBLIC_URL": self.public_url,
            "TRUSTED_KEYS_FILE": str(installation.trusted_keys),
            "CLOCK_FILE": str(installation.clock_file),
            f"SIGNING_KEY_FILE_{suffix}": str(installation.signing_key(service)),
            f"SEALING_KEY_FILE_{suffix}": str(installation.sealing_key(service)),
            "OBJECT_STORE_URL": f"file://{installation.path / 'objects'}",
            **{f"SERVICE_URL_{name.upper()}": url for name, url in self.service_urls.items() if name != service},
            **self.platforms,
            **self._stores(service),
            **self._own(service),
        }
        return values | dict(self.overrides)

    def _stores(self, service: str) -> dict[str, str]:
        url = self.addresses.database_urls.get(service)
        if url is None:
            return {}
        values = {f"DATABASE_URL_{service.upper()}": url.reveal(), "NATS_URL": self.addresses.nats_url}
        if self.addresses.nats_seeds:
            values[f"NATS_SEED_FILE_{service.upper()}"] = str(self.installation.bus_seed(service))
        return values

    def _own(self, service: str) -> dict[str, str]:
        match service:
            case "auth":
                return {
                    "VAULT_KEY_FILE": str(self.installation.vault_key),
                    "DATABASE_URL_AUTH_KEYS": self.addresses.database_urls["auth_keys"].reveal(),
                    "MAIL_FOLDER": str(self.installation.mail),
                    "API_KEY_PEPPER_FILE": str(self.installation.api_key_pepper),
                }
            case "retention" if self.addresses.postgres is not None:
                return self._backups(self.addresses.postgres)
            case _:
                return {}

    def _backups(self, postgres: EmbeddedPostgres) -> dict[str, str]:
        """What retention needs to dump every database whole: a role that row level security does not bind."""
        superuser = urlsplit(postgres.superuser_url)
        urls = {
            f"BACKUP_DATABASE_URL_{service.upper()}": urlunsplit(superuser._replace(path=f"/{service}"))
            for service in self.addresses.database_urls
        }
        return urls | {
            "BACKUP_STORE_URL": f"file://{self.installation.path / 'backups'}",
            "PG_DUMP": str(postgres.bin_directory / "pg_dump"),
        }


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the starter's own environment reaches the services. How NATS is entered counts with its address only."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(PASSED_ON) and not (name.startswith("NATS_") and not environment.get("NATS_URL"))
    }


def sandbox_platforms(base_urls: Mapping[str, str], public_url: str) -> dict[str, str]:
    """The settings that point every imitated platform's client at the sandbox."""
    # Imported with the services, not with the command.
    from platforms.bluesky.oauth import SCOPES  # noqa: PLC0415
    from platforms.environment import CALLBACK_PATH  # noqa: PLC0415

    client = {"redirect_uri": public_url + CALLBACK_PATH, "scope": " ".join(SCOPES)}
    values: dict[str, str] = {}
    for name, url in base_urls.items():
        suffix = name.upper()
        values |= {
            f"PLATFORM_URL_{suffix}": url,
            f"PLATFORM_CLIENT_ID_{suffix}": "sandbox-client-id",
            f"PLATFORM_CLIENT_SECRET_{suffix}": "sandbox-client-secret",
        }
    # TikTok calls it a key; Bluesky knows an application by an address and keeps no secret with it.
    values["PLATFORM_CLIENT_ID_TIKTOK"] = "sandbox-client-key"
    values["PLATFORM_CLIENT_ID_BLUESKY"] = f"http://localhost?{urlencode(client)}"
    del values["PLATFORM_CLIENT_SECRET_BLUESKY"]
    return values
