"""The publisher's settings: those every service has, the object store, our public address, audits, platforms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from kit.settings import Environment, ServiceSettings, Stage

AUDIT_EVERY_MAX = timedelta(days=7)
"""An audit looks back no further."""


@dataclass(frozen=True)
class Settings:
    """`object_store_url`: OBJECT_STORE_URL, where content keeps media. `public_url`: PUBLIC_URL, from where platforms
    can fetch them. `audit_every`: AUDIT_EVERY, how often what was published is audited. The platforms are read by
    `platforms`.
    """

    base: ServiceSettings
    object_store_url: str
    public_url: str | None
    audit_every: timedelta

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(
            base=ServiceSettings.read(environment, "publisher"),
            object_store_url=environment.text("OBJECT_STORE_URL"),
            public_url=environment.web_address("PUBLIC_URL"),
            audit_every=environment.duration(
                "AUDIT_EVERY", timedelta(days=1), minimum=timedelta(hours=1), maximum=AUDIT_EVERY_MAX
            ),
        )

    @property
    def media_url(self) -> str | None:
        """What the addresses of media start with. None where they would leave us unencrypted, or lead nowhere."""
        if self.public_url is None:
            return None
        if self.base.stage is Stage.PRODUCTION and not self.public_url.startswith("https://"):
            return None
        return self.public_url.rstrip("/") + "/media/"
