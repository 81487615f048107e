"""The key provider that an installation has chosen. Others are not even imported: a cloud's library is large."""

from __future__ import annotations

from auth.adapters.key_file import KeyFile
from auth.domain.key_providers import KeyFilePlace, KeyPlaces, KmsPlace, TransitPlace
from auth.domain.vault import WrappedKey
from auth.ports.vault import KeyProvider


def provider_of(places: KeyPlaces) -> KeyProvider:
    """Raises `SettingError` for a key file that cannot be used; a key service is first asked when it is needed."""
    current = _provider(places.current)
    return Succession(current, KeyFile(places.former.file)) if places.former else current


def _provider(place: KeyFilePlace | TransitPlace | KmsPlace) -> KeyProvider:
    match place:
        case KeyFilePlace():
            return KeyFile(place.file)
        case TransitPlace():
            from auth.adapters.key_transit import TransitKey  # noqa: PLC0415

            return TransitKey(place)
        case KmsPlace():
            from auth.adapters.key_kms import KmsKey  # noqa: PLC0415

            return KmsKey(place)


class Succession:
    """Implements `auth.ports.vault.KeyProvider`: one wraps, and another still unwraps what it wrapped before."""

    def __init__(self, current: KeyProvider, former: KeyProvider) -> None:
        self._current = current
        self._former = former

    async def wrap(self, key: bytes, *, context: bytes) -> WrappedKey:
        return await self._current.wrap(key, context=context)

    async def unwrap(self, wrapped: WrappedKey, *, context: bytes) -> bytes:
        return await self._of(wrapped).unwrap(wrapped, context=context)

    async def rewrap(self, wrapped: WrappedKey, *, context: bytes) -> WrappedKey:
        if self._of(wrapped) is self._current:
            return await self._current.rewrap(wrapped, context=context)
        return await self._current.wrap(await self._former.unwrap(wrapped, context=context), context=context)

    def wrapped(self, key_id: str) -> bool:
        return self._current.wrapped(key_id) or self._former.wrapped(key_id)

    async def aclose(self) -> None:
        await self._current.aclose()
        await self._former.aclose()

    def _of(self, wrapped: WrappedKey) -> KeyProvider:
        return self._former if self._former.wrapped(wrapped.key_id) else self._current
