"""Passkeys by the library `webauthn` (W3C Web Authentication, level 2).

It is loaded with the first ceremony only: the library takes 7 MB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth.domain.second_factors import CEREMONY_LIFETIME, NewPasskey, Passkey, PasskeyRefused
from auth.domain.totp import ISSUER

_TIMEOUT_MS = int(CEREMONY_LIFETIME.total_seconds() * 1000)


class WebAuthn:
    """Implements `auth.ports.second_factors.Authenticators`. The user is always verified: by PIN, finger or face."""

    def __init__(self, domain: str, origin: str) -> None:
        self._domain = domain
        self._origin = origin

    def registration(self, challenge: bytes, *, account_id: UUID, email: str, known: Sequence[bytes]) -> dict[str, Any]:
        options = generate_registration_options(
            rp_id=self._domain,
            rp_name=ISSUER,
            user_id=account_id.bytes,
            user_name=email,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return _document(options_to_json(options))

    def request(self, challenge: bytes, *, allowed: Sequence[bytes]) -> dict[str, Any]:
        options = generate_authentication_options(
            rp_id=self._domain,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _document(options_to_json(options))

    def check_registration(self, answer: Mapping[str, Any], challenge: bytes) -> NewPasskey:
        try:
            verified = verify_registration_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as error:
            # It reads what a stranger sent, through CBOR, COSE and X.509; not each of its failures is one of its own.
            raise PasskeyRefused() from error
        return NewPasskey(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            backed_up=verified.credential_backed_up,
        )

    def credential_id(self, answer: Mapping[str, Any]) -> bytes:
        try:
            return base64url_to_bytes(answer["rawId"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PasskeyRefused() from error

    def check(self, answer: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> int:
        try:
            verified = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except Exception as error:
            raise PasskeyRefused() from error
        return verified.new_sign_count


def _document(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
