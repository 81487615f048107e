"""The published documents, read once a session and only for the platform whose tests run."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from libs.platforms.tests.conformance.discovery import Discovery
from libs.platforms.tests.conformance.exchange import Specification
from libs.platforms.tests.conformance.lexicon import Lexicons
from libs.platforms.tests.conformance.openapi import OpenApi
from libs.platforms.tests.conformance.table import Difference


def _openapi(file: str) -> Callable[[Path], Specification]:
    return lambda folder: OpenApi(json.loads(_only(folder, file).read_text()))


def _discovery(*files: str) -> Callable[[Path], Specification]:
    return lambda folder: Discovery([json.loads((folder / file).read_text()) for file in files])


READERS: Mapping[str, Callable[[Path], Specification]] = {
    "x": _openapi("openapi_*.json"),
    "pinterest": _openapi("openapi_*.json"),
    "youtube": _discovery("youtube.v3.json", "youtubeAnalytics.v2.json", "oauth2.v2.json"),
    "bluesky": lambda folder: Lexicons(folder / "lexicons"),
}


@cache
def specification_of(platform: str) -> Specification | None:
    """What a platform has published; None where the documents are not here."""
    folder = folder_of(platform)
    return READERS[platform](folder) if folder else None


def folder_of(platform: str) -> Path | None:
    named = os.environ.get("SIGNOFF_SPECS")
    folder = Path(named) / platform if named else None
    return folder if folder and folder.is_dir() else None


def table_of(platform: str) -> Sequence[Difference]:
    """The platform's table of differences."""
    module = importlib.import_module(f"libs.platforms.tests.conformance.tables.{platform}")
    table: Sequence[Difference] = module.DIFFERENCES
    return table


def _only(folder: Path, pattern: str) -> Path:
    (file,) = folder.glob(pattern)
    return file
