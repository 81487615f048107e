"""A key-encryption key in AWS KMS.

botocore finds the credentials, signs, retries and knows the regions; it blocks, so it works on threads of its own. It
is some 50 MB of memory, which only who chooses KMS pays.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.session import get_session

from auth.domain.key_providers import CALL_SECONDS, CONNECT_SECONDS, UNWRAPS_AT_ONCE, KmsPlace
from auth.domain.vault import (
    UNREADABLE,
    KeyUnusable,
    NotOpened,
    VaultDenied,
    VaultUnavailable,
    VaultUnreachable,
    WrappedKey,
)

ATTEMPTS = 3
"""KMS is asked again after a throttled or broken call, with growing pauses below a second."""

CONTEXT_NAME = "signoff"

# It would write the bodies of its requests there, and a data key is in one.
logging.getLogger("botocore").setLevel(logging.INFO)


class KmsKey:
    """Implements `auth.ports.vault.KeyProvider`."""

    def __init__(self, place: KmsPlace) -> None:
        self._place = place
        self._threads = ThreadPoolExecutor(UNWRAPS_AT_ONCE, thread_name_prefix="kms")
        self._connecting = Lock()
        self._connected: BaseClient | None = None

    async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        answer = await self._call(
            "encrypt", KeyId=self._place.key, Plaintext=key, EncryptionContext={CONTEXT_NAME: context.decode()}
        )
        # The key's own name, which stays with it when the alias leads to another.
        return WrappedKey(answer["CiphertextBlob"], answer["KeyId"])

    async def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        answer = await self._call(
            "decrypt",
            KeyId=wrapped.key_id,
            CiphertextBlob=wrapped.wrapped_key,
            EncryptionContext={CONTEXT_NAME: context.decode()},
        )
        plain: bytes = answer["Plaintext"]
        return plain

    async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
        # The data key does not leave KMS for this.
        answer = await self._call(
            "re_encrypt",
            SourceKeyId=wrapped.key_id,
            CiphertextBlob=wrapped.wrapped_key,
            SourceEncryptionContext={CONTEXT_NAME: context.decode()},
            DestinationKeyId=self._place.key,
            DestinationEncryptionContext={CONTEXT_NAME: context.decode()},
        )
        return WrappedKey(answer["CiphertextBlob"], answer["KeyId"])

    def wrapped(self, key_id: str) -> bool:
        return key_id.startswith("arn:")

    async def aclose(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, action: str, **parameters: Any) -> dict[str, Any]:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._call_blocking, action, parameters)
        )

    def _call_blocking(self, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client(), action)(**parameters)
        except ClientError as error:
            raise _failure(error.response["Error"]["Code"]) from None
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise VaultDenied(f"there are no credentials for KMS ({type(error).__name__})") from None
        except BotoCoreError as error:
            raise VaultUnreachable(f"KMS does not answer ({type(error).__name__})") from None
        return answer

    def _client(self) -> BaseClient:
        """Made on a thread too: looking for credentials may ask the machine's own metadata service."""
        with self._connecting:
            if self._connected is None:
                self._connected = get_session().create_client(
                    "kms",
                    region_name=self._place.region,
                    endpoint_url=self._place.endpoint,
                    config=Config(
                        connect_timeout=CONNECT_SECONDS,
                        read_timeout=CALL_SECONDS,
                        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                        max_pool_connections=UNWRAPS_AT_ONCE,
                    ),
                )
            return self._connected


def _failure(code: str) -> VaultUnavailable | NotOpened:
    """What KMS's answer means. Only the one refusal that is about the ciphertext itself condemns it."""
    if code == "InvalidCiphertextException":
        return NotOpened(UNREADABLE)
    if code in _UNUSABLE:
        return KeyUnusable(f"KMS does not use this key ({code})")
    if code in _DENIED:
        return VaultDenied(f"KMS does not let us in ({code})")
    return VaultUnreachable(f"KMS fails ({code})")


_UNUSABLE = {
    "DisabledException",
    "IncorrectKeyException",
    "InvalidKeyUsageException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "NotFoundException",
}
_DENIED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "IncompleteSignature",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
