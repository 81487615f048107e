"""The publisher's settings: those every service has, the object store, and the platforms it offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kit.settings import Environment, ServiceSettings


@dataclass(frozen=True)
class Settings:
    """`object_store_url`: OBJECT_STORE_URL, where content keeps media. The platforms are read by `platforms`."""

    base: ServiceSettings
    object_store_url: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(
            base=ServiceSettings.read(environment, "publisher"),
            object_store_url=environment.text("OBJECT_STORE_URL"),
        )
