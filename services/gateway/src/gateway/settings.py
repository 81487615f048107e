"""Settings of the edge. Read once at start, by `main` only."""

from __future__ import annotations

from dataclasses import dataclass

from kit.settings import Environment, ServiceSettings, Stage


@dataclass(frozen=True)
class Settings:
    """`attempts_burst` (ATTEMPTS_BURST) sign-ins or sign-ups at once from one address, then `attempts_per_minute`
    (ATTEMPTS_PER_MINUTE). `key_burst` and `key_per_minute`: KEY_REQUESTS_BURST and KEY_REQUESTS_PER_MINUTE, how often
    one API key may ask. `trusted_proxies` (TRUSTED_PROXIES): how many of our own proxies append to X-Forwarded-For.
    """

    base: ServiceSettings
    attempts_burst: int
    attempts_per_minute: int
    key_burst: int
    key_per_minute: int
    trusted_proxies: int

    @classmethod
    def read(cls, environment: Environment) -> Settings:
        return cls(
            base=ServiceSettings.read(environment, "gateway", has_database=False),
            attempts_burst=environment.integer("ATTEMPTS_BURST", 20, minimum=1, maximum=10_000),
            attempts_per_minute=environment.integer("ATTEMPTS_PER_MINUTE", 20, minimum=1, maximum=10_000),
            # A program that works through a calendar of posts asks this often; one that runs wild is held back.
            key_burst=environment.integer("KEY_REQUESTS_BURST", 100, minimum=1, maximum=100_000),
            key_per_minute=environment.integer("KEY_REQUESTS_PER_MINUTE", 600, minimum=1, maximum=100_000),
            trusted_proxies=environment.integer("TRUSTED_PROXIES", 0, minimum=0, maximum=10),
        )

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over HTTPS only, as everywhere but on a developer's machine."""
        return self.base.stage is not Stage.DEVELOPMENT
