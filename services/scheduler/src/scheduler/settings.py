"""The scheduler's settings: those every service has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kit.settings import Environment, ServiceSettings


@dataclass(frozen=True)
class Settings:
    base: ServiceSettings

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(base=ServiceSettings.read(environment, "scheduler"))
