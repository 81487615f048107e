"""Photos in PostgreSQL, made by Pillow in a thread."""

from __future__ import annotations

import asyncio
from datetime import datetime
from io import BytesIO
from uuid import UUID

from kit.database import Transaction

from auth.domain.photos import PHOTO_PIXELS_MAX, PHOTO_SIDE, PhotoRefused

_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 85


class StoredPhotos:
    """Implements `auth.ports.photos.Photos`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def put(self, account_id: UUID, image: bytes, *, at: datetime) -> None:
        await self._transaction.execute(
            "INSERT INTO photo (account_id, image, changed_at) VALUES (%s, %s, %s) ON CONFLICT (account_id)"
            " DO UPDATE SET image = excluded.image, changed_at = excluded.changed_at",
            (account_id, image, at),
        )

    async def find(self, account_id: UUID) -> bytes | None:
        image: bytes | None = await self._transaction.scalar(
            "SELECT p.image FROM photo p JOIN account a USING (account_id)"
            " WHERE p.account_id = %s AND a.deleted_at IS NULL",
            (account_id,),
        )
        return image

    async def remove(self, account_id: UUID) -> None:
        await self._transaction.execute("DELETE FROM photo WHERE account_id = %s", (account_id,))


class PillowPhotos:
    """Implements `auth.ports.photos.PhotoMaker`."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def make(self, image: bytes) -> bytes:
        async with self._turn:
            return await asyncio.to_thread(_make, image)


def _make(image: bytes) -> bytes:
    # Imported by the first photo: the service holds less without it.
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(BytesIO(image), formats=_FORMATS) as opened:
            if opened.width * opened.height > PHOTO_PIXELS_MAX:
                raise PhotoRefused(f"It has more than {PHOTO_PIXELS_MAX // 1_000_000} million pixels.")
            # A JPEG is decoded at the size that is needed, not at its own.
            opened.draft("RGB", (2 * PHOTO_SIDE, 2 * PHOTO_SIDE))
            upright = ImageOps.exif_transpose(opened)
            small = ImageOps.fit(upright.convert("RGBA" if upright.has_transparency_data else "RGB"), (PHOTO_SIDE,) * 2)
            # A new image carries no metadata of the one it was made from.
            made = Image.new(small.mode, small.size)
            made.paste(small)
            written = BytesIO()
            made.save(written, "WEBP", quality=_QUALITY)
    except PhotoRefused:
        raise
    except Exception as error:
        # Decoders fail in every way there is on what is no image; the text may quote it.
        raise PhotoRefused() from error
    return written.getvalue()
