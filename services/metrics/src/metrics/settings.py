"""What metrics is told from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from kit.settings import Environment, ServiceSettings
from platforms.environment import OfferedPlatforms


@dataclass(frozen=True)
class Settings:
    """The settings of every service, and which platforms are asked for numbers."""

    base: ServiceSettings
    offered: OfferedPlatforms

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(ServiceSettings.read(environment, "metrics"), OfferedPlatforms.read(environment))
