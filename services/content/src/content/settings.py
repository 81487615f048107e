"""Settings of content, read once at start by `main`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kit.settings import Environment, ServiceSettings


@dataclass(frozen=True)
class Settings:
    """`object_store_url`: OBJECT_STORE_URL, where media lie (`file:///…`, `s3://…`, `gs://…`, `az://…`)."""

    base: ServiceSettings
    object_store_url: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(
            base=ServiceSettings.read(environment, "content"),
            object_store_url=environment.text("OBJECT_STORE_URL"),
        )
