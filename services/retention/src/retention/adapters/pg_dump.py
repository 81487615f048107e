"""Dumps databases with pg_dump, as a child process whose output is streamed and never touches our disk."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence

from kit.secret import Secret
from psycopg.conninfo import conninfo_to_dict

from retention.domain.backup import NEVER_BACKED_UP, DumpFailed

PIECE_BYTES = 1024 * 1024
_COMPLAINT_CHARACTERS_MAX = 300

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


class PgDump:
    """`retention.ports.Dumper`. The roles must see every row: pg_dump refuses to dump what policies would hide."""

    def __init__(self, program: str, urls: Mapping[str, Secret]) -> None:
        self._program = program
        self._urls = urls

    @property
    def services(self) -> Sequence[str]:
        return sorted(self._urls)

    async def dump(self, service: str) -> AsyncGenerator[bytes]:
        with tempfile.TemporaryFile() as complaints:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command(service),
                    env=self._environment(service),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=complaints,
                )
            except OSError as error:
                raise DumpFailed(f"{self._program} cannot be run: {error.strerror}") from error
            assert process.stdout is not None
            try:
                while piece := await process.stdout.read(PIECE_BYTES):
                    yield piece
                if await process.wait():
                    complaints.seek(0)
                    raise DumpFailed(f"{service}: {_last_line(complaints.read())}")
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    def _command(self, service: str) -> list[str]:
        left_out = [f"--exclude-table-data={table}" for table in NEVER_BACKED_UP.get(service, ())]
        return [self._program, "--format=custom", "--no-password", *left_out]

    def _environment(self, service: str) -> dict[str, str]:
        """The connection goes through the environment: arguments are visible to every user of the machine."""
        told = conninfo_to_dict(self._urls[service].reveal())
        connection = {_VARIABLES[name]: str(value) for name, value in told.items() if name in _VARIABLES}
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGAPPNAME": "backup"} | connection


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1][:_COMPLAINT_CHARACTERS_MAX] if lines else "no complaint"
