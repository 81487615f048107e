"""Which platforms this installation offers, and as whom: read from the environment at start.

`PLATFORM_CLIENT_ID_<NAME>` and `PLATFORM_CLIENT_SECRET_<NAME>` are what the platform gave our application, and
`PLATFORM_WEBHOOK_SECRET_<NAME>` what it signs webhooks with if that is another secret (X's consumer secret); a
platform without a client id is not offered. `PLATFORM_URL_<NAME>` points it elsewhere, at a sandbox for
example. `PUBLIC_URL` is where people reach us, and so where platforms send them back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kit.secret import Secret
from kit.settings import Environment

from platforms.platform import Platform
from platforms.registry import register
from platforms.shape import ClientCredentials, PlatformName

CALLBACK_PATH = "/api/oauth/callback"


@dataclass(frozen=True)
class OfferedPlatforms:
    """The platforms of one installation. `allowed_hosts` is all that may be called for them, and whose it is."""

    platforms: Mapping[PlatformName, Platform]
    credentials: Mapping[PlatformName, ClientCredentials]
    allowed_hosts: Mapping[str, str]

    @classmethod
    def read(cls, environment: Environment) -> Self:
        registered = register(environment.prefixed("PLATFORM_URL_"))
        every = registered.platforms
        credentials = {name: found for name in every if (found := _credentials(environment, name))}
        return cls(
            platforms={name: every[name] for name in credentials},
            credentials=credentials,
            allowed_hosts=registered.allowed_hosts,
        )


def _credentials(environment: Environment, name: PlatformName) -> ClientCredentials | None:
    client_id = environment.optional(f"PLATFORM_CLIENT_ID_{name.upper()}")
    if client_id is None:
        return None
    client_secret = environment.optional(f"PLATFORM_CLIENT_SECRET_{name.upper()}")
    webhook_secret = environment.optional(f"PLATFORM_WEBHOOK_SECRET_{name.upper()}")
    return ClientCredentials(
        client_id=client_id,
        client_secret=Secret(client_secret) if client_secret else None,
        redirect_uri=environment.text("PUBLIC_URL").rstrip("/") + CALLBACK_PATH,
        webhook_secret=Secret(webhook_secret) if webhook_secret else None,
    )
