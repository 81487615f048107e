"""Where the key-encryption key is: what an installation says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

UNWRAPS_AT_ONCE = 16
"""Calls to a key service at the same time: a hundred grants take a few round trips, and no service minds."""

CALL_SECONDS = 5.0
"""How long a key service may take: it answers in milliseconds, and a platform call waits behind it."""

CONNECT_SECONDS = 2.0


class ProviderKind(StrEnum):
    FILE = "file"
    TRANSIT = "transit"
    AWS_KMS = "aws-kms"


@dataclass(frozen=True)
class KeyFilePlace:
    """Keys in a file: the first one wraps, every one unwraps."""

    file: Path


@dataclass(frozen=True)
class TransitPlace:
    """A derived key in the transit engine of HashiCorp Vault.

    We are let in by the token in `token_file`, or as `role` by the service account token in `account_token_file`.
    """

    url: str
    mount: str
    key: str
    namespace: str | None
    ca_file: Path | None
    token_file: Path | None
    role: str | None
    login_mount: str
    account_token_file: Path


@dataclass(frozen=True)
class KmsPlace:
    """A symmetric key in AWS KMS. `key` is an alias, an id or an ARN; `endpoint` replaces the region's own."""

    key: str
    region: str
    endpoint: str | None


@dataclass(frozen=True)
class KeyPlaces:
    """Who wraps, and the file whose keys wrapped before, if that was another one."""

    current: KeyFilePlace | TransitPlace | KmsPlace
    former: KeyFilePlace | None = None
