"""Which OpenID providers this installation has: read from the environment at start.

`OPENID_PROVIDERS` names them, separated by commas. For each: `OPENID_<NAME>_ISSUER`, `_CLIENT_ID`, `_CLIENT_SECRET`
(none for a public client), `_LABEL` (what people read; the name if left out), `_DOMAINS` (whose addresses may come
through it, separated by commas), `_HOSTS` (where its endpoints lie besides the issuer's own host).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from kit.settings import Environment, SettingError, Stage
from platforms.http import is_loopback

from auth.domain.openid import ConfiguredProvider, SignInMode

CALLBACK_PATH = "/api/openid/callback"

PROVIDERS_MAX = 20
"""More than a page of buttons can hold."""


@dataclass(frozen=True)
class OpenIdSettings:
    """`sign_in`: SIGN_IN. `redirect_uri`: where every provider sends people back to."""

    sign_in: SignInMode
    providers: Mapping[str, ConfiguredProvider]
    redirect_uri: str

    @classmethod
    def read(cls, environment: Environment) -> Self:
        sign_in = SignInMode(environment.choice("SIGN_IN", SignInMode.PASSWORD, SignInMode))
        names = _words(environment, "OPENID_PROVIDERS")
        if sign_in is SignInMode.OPENID and not names:
            raise SettingError("SIGN_IN is openid, but OPENID_PROVIDERS names no provider: nobody could sign in")
        if len(names) > PROVIDERS_MAX:
            raise SettingError(f"OPENID_PROVIDERS names more than {PROVIDERS_MAX} providers")
        providers = {name: _provider(environment, name) for name in names}
        if len({provider.issuer for provider in providers.values()}) < len(providers):
            raise SettingError(
                "OPENID_PROVIDERS names one issuer twice: whom it vouches for would be known by two names"
            )
        public_url = environment.text("PUBLIC_URL").rstrip("/") if providers else ""
        return cls(sign_in, providers, public_url + CALLBACK_PATH)

    @property
    def allowed_hosts(self) -> Mapping[str, str]:
        """All that may be called, and whose it is."""
        return {
            host: f"openid:{provider.name}"
            for provider in self.providers.values()
            for host in (urlsplit(provider.issuer).netloc.lower(), *provider.hosts)
        }


def _provider(environment: Environment, name: str) -> ConfiguredProvider:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,31}", name):
        raise SettingError(f"OPENID_PROVIDERS names {name!r}, but a name is lower-case letters and digits")
    prefix = f"OPENID_{name.upper()}"
    secret = f"{prefix}_CLIENT_SECRET"
    return ConfiguredProvider(
        name=name,
        label=environment.optional(f"{prefix}_LABEL") or name,
        issuer=_issuer(environment, f"{prefix}_ISSUER"),
        client_id=environment.text(f"{prefix}_CLIENT_ID"),
        client_secret=environment.secret(secret) if environment.optional(secret) else None,
        domains=frozenset(_words(environment, f"{prefix}_DOMAINS")),
        hosts=frozenset(_words(environment, f"{prefix}_HOSTS")),
    )


def _issuer(environment: Environment, name: str) -> str:
    """As it is written: an issuer is compared to the letter."""
    issuer = environment.text(name)
    parts = urlsplit(issuer)
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingError(f"{name} must be the https address that the provider calls itself, and nothing more")
    on_this_machine = environment.stage is Stage.DEVELOPMENT and is_loopback(parts.hostname)
    if parts.scheme != "https" and not (parts.scheme == "http" and on_this_machine):
        raise SettingError(f"{name} must start with https://: who signs in is decided on this line")
    return issuer


def _words(environment: Environment, name: str) -> tuple[str, ...]:
    listed = (word.strip().lower() for word in (environment.optional(name) or "").split(","))
    return tuple(dict.fromkeys(word for word in listed if word))
