"""What retention is told from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kit.secret import Secret
from kit.settings import Environment, ServiceSettings, SettingError

_URL_PREFIX = "BACKUP_DATABASE_URL_"


@dataclass(frozen=True)
class BackupSettings:
    """Where backups go and what is in them.

    `store_url`: BACKUP_STORE_URL, a bucket or folder of its own. `pg_dump`: PG_DUMP, a program at least as new as
    the server. `database_urls`: BACKUP_DATABASE_URL_<SERVICE>, as a role that row level security does not bind.
    """

    store_url: str
    pg_dump: str
    database_urls: Mapping[str, Secret]


@dataclass(frozen=True)
class Settings:
    """The settings of every service, and of backups where there are any."""

    base: ServiceSettings
    backups: BackupSettings | None

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(ServiceSettings.read(environment, "retention"), _backups(environment))


def _backups(environment: Environment) -> BackupSettings | None:
    store_url = environment.optional("BACKUP_STORE_URL")
    if store_url is None:
        return None
    urls = {service: Secret(url) for service, url in environment.prefixed(_URL_PREFIX).items() if url}
    if not urls:
        raise SettingError(f"BACKUP_STORE_URL is set, but no {_URL_PREFIX}<SERVICE> says what to back up")
    return BackupSettings(store_url, environment.text("PG_DUMP", "pg_dump"), urls)
