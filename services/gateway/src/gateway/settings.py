"""Settings of the edge. Read once at start, by `main` only."""

from __future__ import annotations

from dataclasses import dataclass

from kit.settings import Environment, ServiceSettings, Stage


@dataclass(frozen=True)
class Settings:
    """`attempts_burst` (ATTEMPTS_BURST) sign-ins or sign-ups at once from one address, then `attempts_per_minute`
    (ATTEMPTS_PER_MINUTE). `trusted_proxies` (TRUSTED_PROXIES): how many of our own proxies append to X-Forwarded-For.
    """

    base: ServiceSettings
    attempts_burst: int
    attempts_per_minute: int
    trusted_proxies: int

    @classmethod
    def read(cls, environment: Environment) -> Settings:
        return cls(
            base=ServiceSettings.read(environment, "gateway", has_database=False),
            attempts_burst=environment.integer("ATTEMPTS_BURST", 20, minimum=1, maximum=10_000),
            attempts_per_minute=environment.integer("ATTEMPTS_PER_MINUTE", 20, minimum=1, maximum=10_000),
            trusted_proxies=environment.integer("TRUSTED_PROXIES", 0, minimum=0, maximum=10),
        )

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over HTTPS only, as everywhere but on a developer's machine."""
        return self.base.stage is not Stage.DEVELOPMENT
