"""The AT Protocol's formats of text, as its specifications define them (https://atproto.com/specs)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HANDLE = re.compile(rf"({_LABEL}\.)+[a-zA-Z]([a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?")
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_NSID = re.compile(
    r"[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+\.[a-zA-Z][a-zA-Z0-9]{0,62}"
)
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}")
_CID = re.compile(r"[a-zA-Z0-9+=]{8,256}")
_LANGUAGE = re.compile(r"([ixX]|[a-z]{2,3})(-[a-zA-Z0-9]+)*")
_URI = re.compile(r"[a-z][a-z.-]{0,80}:[!-~\u0080-\U0010ffff]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")


def is_handle(text: str) -> bool:
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_did(text: str) -> bool:
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def is_identifier(text: str) -> bool:
    return is_did(text) or is_handle(text)


def is_nsid(text: str) -> bool:
    return len(text) <= 317 and _NSID.fullmatch(text) is not None


def is_tid(text: str) -> bool:
    return _TID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    return text not in (".", "..") and _RECORD_KEY.fullmatch(text) is not None


def is_at_uri(text: str) -> bool:
    """Authority, perhaps a collection, perhaps a key, and nothing behind: the restricted form, as in records."""
    if not text.startswith("at://") or len(text) > 8192:
        return False
    authority, *path = text.removeprefix("at://").split("/")
    checks = [is_nsid, is_record_key]
    return is_identifier(authority) and len(path) <= 2 and all(f(p) for f, p in zip(checks, path, strict=False))


def is_cid(text: str) -> bool:
    return _CID.fullmatch(text) is not None and not text.startswith("Qmb")


def is_language(text: str) -> bool:
    return _LANGUAGE.fullmatch(text) is not None


def is_uri(text: str) -> bool:
    return len(text) <= 8192 and _URI.fullmatch(text) is not None


def is_datetime(text: str) -> bool:
    if len(text) > 64 or not _MOMENT.fullmatch(text) or text.endswith("-00:00"):
        return False
    # Python knows no year 0; the calendar repeats itself every 400 years.
    early = 400 if int(text[:4]) < 400 else 0
    try:
        moment = datetime.fromisoformat(f"{int(text[:4]) + early:04}" + re.sub(r"\.\d+", "", text[4:]))
    except ValueError:
        return False
    return not early or moment.astimezone(UTC).year >= early


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "at-identifier": is_identifier,
    "at-uri": is_at_uri,
    "cid": is_cid,
    "datetime": is_datetime,
    "did": is_did,
    "handle": is_handle,
    "language": is_language,
    "nsid": is_nsid,
    "record-key": is_record_key,
    "tid": is_tid,
    "uri": is_uri,
}
