"""What auth is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from kit.secret import Secret
from kit.settings import Environment, ServiceSettings, SettingError, Stage
from platforms.environment import OfferedPlatforms

from auth.adapters.openid_settings import OpenIdSettings
from auth.domain.accounts import SignUpMode
from auth.domain.key_providers import KeyFilePlace, KeyPlaces, KmsPlace, ProviderKind, TransitPlace
from auth.domain.withdrawing import GRACE_DAYS, GRACE_DAYS_MAX
from auth.ports.letters import SmtpServer
from auth.use_cases.signing_up import SignUpPolicy

SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105  # a path

_SCHEMES = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
"""How a mail server is reached, with the usual port: encrypted from the start, by STARTTLS, not at all."""


@dataclass(frozen=True)
class MailSettings:
    """How letters go out. One of `server` and `folder` is there.

    `sender`: MAIL_FROM, `Signoff <no-reply@agency.example>`. `web_url`: WEB_URL, the web client that links in letters
    lead to; PUBLIC_URL if left out. `server`: SMTP_URL (smtps://host or smtp://host with STARTTLS; in development
    smtp+plain://host too), SMTP_USER, SMTP_PASSWORD, and SMTP_CA_FILE where no public authority signed its certificate.
    `folder`: MAIL_FOLDER, in development only: letters become files there.
    """

    sender: str
    web_url: str
    server: SmtpServer | None
    folder: Path | None

    @classmethod
    def read(cls, environment: Environment) -> Self:
        development = environment.stage is Stage.DEVELOPMENT
        server = _smtp_server(environment, development=development)
        folder = environment.optional("MAIL_FOLDER")
        if server is None and not development:
            raise SettingError("SMTP_URL is not set: sign-up and password reset send mail")
        if server is None and folder is None:
            raise SettingError("SMTP_URL is not set, nor MAIL_FOLDER, which does in development")
        sender = environment.text("MAIL_FROM", "Signoff <signoff@localhost>" if development else None)
        if "@" not in parseaddr(sender)[1] or not sender.isprintable():
            raise SettingError("MAIL_FROM must be an address such as Signoff <no-reply@agency.example>")
        web_url = environment.web_address("WEB_URL") or environment.web_address("PUBLIC_URL")
        if web_url is None and not development:
            raise SettingError("PUBLIC_URL is not set: links in letters lead there")
        return cls(
            sender=sender,
            web_url=(web_url or "http://localhost").rstrip("/"),
            server=server,
            folder=Path(folder) if folder and server is None else None,
        )


def _smtp_server(environment: Environment, *, development: bool) -> SmtpServer | None:
    text = environment.optional("SMTP_URL")
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        understood = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        understood = False
    if not understood:
        raise SettingError("SMTP_URL must be smtps://host or smtp://host, with :port if it is not the usual one")
    if "@" in parts.netloc:
        raise SettingError("SMTP_URL holds a user or password: they belong in SMTP_USER and SMTP_PASSWORD")
    plain, user = parts.scheme == "smtp+plain", environment.optional("SMTP_USER")
    if plain and not development:
        raise SettingError("SMTP_URL is not encrypted: name it smtps://… or smtp://… (STARTTLS)")
    if plain and user:
        raise SettingError("SMTP_USER is set, but SMTP_URL is not encrypted: a password would be sent for all to read")
    return SmtpServer(
        host=str(parts.hostname),
        port=parts.port or _SCHEMES[parts.scheme],
        implicit_tls=parts.scheme == "smtps",
        plain=plain,
        user=user,
        password=environment.secret("SMTP_PASSWORD") if user else None,
        ca_file=environment.file("SMTP_CA_FILE") if environment.optional("SMTP_CA_FILE") else None,
    )


def _sign_up_policy(environment: Environment) -> SignUpPolicy:
    """SIGN_UP: open (the default), approval or closed; OPERATOR_ADDRESS, who is told that an account waits."""
    mode = SignUpMode(environment.choice("SIGN_UP", SignUpMode.OPEN.value, SignUpMode))
    address = environment.optional("OPERATOR_ADDRESS")
    if mode is SignUpMode.APPROVAL and not address:
        raise SettingError("OPERATOR_ADDRESS is not set: with SIGN_UP=approval somebody must be told who waits")
    return SignUpPolicy(mode, address)


def read_key_places(environment: Environment) -> KeyPlaces:
    """VAULT_KEY_PROVIDER and what belongs to it. A key file beside another provider still unwraps what it wrapped."""
    kind = environment.choice("VAULT_KEY_PROVIDER", ProviderKind.FILE.value, ProviderKind)
    if kind == ProviderKind.FILE:
        return KeyPlaces(KeyFilePlace(environment.file("VAULT_KEY_FILE")))
    current = _transit(environment) if kind == ProviderKind.TRANSIT else _kms(environment)
    former = environment.optional("VAULT_KEY_FILE") and KeyFilePlace(environment.file("VAULT_KEY_FILE"))
    return KeyPlaces(current, former or None)


def _transit(environment: Environment) -> TransitPlace:
    token_file, role = environment.optional("VAULT_TRANSIT_TOKEN_FILE"), environment.optional("VAULT_TRANSIT_ROLE")
    if (token_file is None) == (role is None):
        raise SettingError("VAULT_TRANSIT_TOKEN_FILE or VAULT_TRANSIT_ROLE says how we are let in: set one of them")
    return TransitPlace(
        url=_address(environment, "VAULT_TRANSIT_URL") or environment.text("VAULT_TRANSIT_URL"),
        mount=environment.text("VAULT_TRANSIT_MOUNT", "transit"),
        key=environment.text("VAULT_TRANSIT_KEY", "signoff"),
        namespace=environment.optional("VAULT_TRANSIT_NAMESPACE"),
        ca_file=environment.file("VAULT_TRANSIT_CA_FILE") if environment.optional("VAULT_TRANSIT_CA_FILE") else None,
        token_file=environment.file("VAULT_TRANSIT_TOKEN_FILE") if token_file else None,
        role=role,
        login_mount=environment.text("VAULT_TRANSIT_LOGIN_MOUNT", "kubernetes"),
        account_token_file=Path(environment.text("VAULT_TRANSIT_ACCOUNT_TOKEN_FILE", SERVICE_ACCOUNT_TOKEN)),
    )


def _kms(environment: Environment) -> KmsPlace:
    return KmsPlace(
        key=environment.text("VAULT_KMS_KEY"),
        region=environment.text("VAULT_KMS_REGION"),
        endpoint=_address(environment, "VAULT_KMS_ENDPOINT"),
    )


def _address(environment: Environment, name: str) -> str | None:
    """Data keys travel there: never unencrypted in production."""
    url = environment.web_address(name)
    if url and not url.startswith("https:") and environment.stage is Stage.PRODUCTION:
        raise SettingError(f"{name} is not encrypted: it must be an https address")
    return url


@dataclass(frozen=True)
class Settings:
    """`public_url`: PUBLIC_URL; `passkeys_at` is the same, if it is set at all. `keys_url`: DATABASE_URL_AUTH_KEYS,
    the database of data keys. `key_places`: VAULT_*, what wraps them. `api_key_pepper_file`: API_KEY_PEPPER_FILE, what
    API keys are hashed with, 32 bytes in base64 a line, newest first.
    """

    base: ServiceSettings
    keys_url: Secret
    key_places: KeyPlaces
    api_key_pepper_file: Path
    offered: OfferedPlatforms
    mail: MailSettings
    sign_up: SignUpPolicy
    public_url: str
    passkeys_at: str | None
    reauthorisation_grace: timedelta
    openid: OpenIdSettings

    @classmethod
    def read(cls, environment: Environment) -> Self:
        return cls(
            base=ServiceSettings.read(environment, "auth"),
            passkeys_at=environment.web_address("PUBLIC_URL"),
            keys_url=environment.secret("DATABASE_URL_AUTH_KEYS"),
            key_places=read_key_places(environment),
            api_key_pepper_file=environment.file("API_KEY_PEPPER_FILE"),
            offered=OfferedPlatforms.read(environment),
            mail=MailSettings.read(environment),
            sign_up=_sign_up_policy(environment),
            public_url=(environment.web_address("PUBLIC_URL") or "http://localhost").rstrip("/"),
            reauthorisation_grace=timedelta(
                days=environment.integer("REAUTHORISATION_DAYS", GRACE_DAYS, minimum=1, maximum=GRACE_DAYS_MAX)
            ),
            openid=OpenIdSettings.read(environment),
        )
