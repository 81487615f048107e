"""Where a system writes: its databases, their backups, the bus, objects, letters, logs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from kit.embedded import EmbeddedPostgres
from psycopg import sql
from signoff.installation import STORES

_TABLES: LiteralString = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""


@dataclass
class Exchange:
    """One request to the gateway and its answer, as bytes."""

    path: str
    asked: bytes
    answered: bytes


@dataclass
class Recorder:
    """Keeps what goes through a client."""

    exchanges: list[Exchange] = field(default_factory=list)

    def watch(self, client: httpx.AsyncClient) -> None:
        client.event_hooks["response"].append(self._keep)

    async def _keep(self, answer: httpx.Response) -> None:
        await answer.aread()
        asked = answer.request
        body = b"" if asked.headers.get("content-type", "").startswith(("image/", "video/")) else asked.content
        headers = b"\n".join(b": ".join(pair) for pair in answer.headers.raw)
        self.exchanges.append(Exchange(asked.url.path, body, headers + b"\n" + answer.content))


def written_rows(postgres: EmbeddedPostgres) -> dict[str, bytes]:
    """Every row of every table of every database, as COPY writes it."""
    return {f"database {store}": _copied(_url_of(postgres, store)) for store in STORES}


def _url_of(postgres: EmbeddedPostgres, database: str) -> str:
    return urlunsplit(urlsplit(postgres.superuser_url)._replace(path=f"/{database}"))


def _copied(url: str) -> bytes:
    pieces: list[bytes] = []
    with psycopg.connect(url) as connection:
        for name in connection.execute(_TABLES).fetchall():
            statement: Any = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(*name))
            with connection.cursor().copy(statement) as rows:
                pieces += [b"-- " + name[1].encode() + b"\n", *(bytes(piece) for piece in rows)]
    return b"".join(pieces)


def written_backups(postgres: EmbeddedPostgres, folder: Path) -> dict[str, bytes]:
    """What a restore of each dump would say: the dumps themselves are compressed."""
    found = {}
    for dump in folder.rglob("*.dump"):
        command = [str(postgres.bin_directory / "pg_restore"), "--file=-", str(dump)]
        found[f"backup {dump.name} {dump.parent.name}"] = subprocess.run(
            command, check=True, capture_output=True
        ).stdout
    return found


@dataclass
class Letter:
    """A letter as it was sent, and decoded; `token` is that of its own link, if it has one."""

    kind: str
    content: bytes
    token: str | None


def written_letters(folder: Path) -> list[Letter]:
    """The oldest first. One that is being written has a hidden name."""
    return [_read(file.read_bytes()) for file in sorted(folder.glob("[!.]*.eml"))]


def tokens_of(folder: Path, kind: str) -> list[str]:
    return [letter.token for letter in written_letters(folder) if letter.kind == kind and letter.token]


def _read(raw: bytes) -> Letter:
    message = message_from_bytes(raw, policy=policy.default)
    parts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    link = re.search(r"[?]token=([\w-]+)", parts[0])
    return Letter(str(message["X-Signoff-Letter"]), raw + "\n".join(parts).encode(), link[1] if link else None)


def written_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its name."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder.parent)): file.name.encode() + b"\n" + file.read_bytes() for file in files}
